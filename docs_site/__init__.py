"""What is made for the documentation: its reference pages, and the site."""
