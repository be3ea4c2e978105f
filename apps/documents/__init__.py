"""Paper: templates, reports, prescriptions and the PDFs made of them."""
