"""The demo clinics: what they are stands in clinics.json and people.json, how they come to be in the modules here."""
