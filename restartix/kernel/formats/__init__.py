"""How dates and times are written: the European way in both languages, by the 24-hour clock."""
