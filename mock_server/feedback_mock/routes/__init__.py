"""Connexion's part: it reads the documents, checks them and routes to what was compiled. Knows no operation."""
