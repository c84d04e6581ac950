"""From a record to what people see: layout, pictures, payload, pages."""
