"""The operations of the feedback document: access, fields, handlers and the form of their answers."""
