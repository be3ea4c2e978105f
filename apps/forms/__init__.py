"""Questions asked, answers given, and what can be concluded from them."""
