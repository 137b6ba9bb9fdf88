"""Common parts of the console's pages: routes, context, forms, errors, labels."""
