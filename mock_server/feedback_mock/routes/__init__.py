"""Connexion's part: it reads the documents, checks them and routes to the compiled operations. Knows no operation."""
