"""The operations of the feedback document: access, fields, handlers and the format of their responses."""
