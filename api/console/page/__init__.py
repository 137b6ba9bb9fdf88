"""What every page of the console is made with: routes, context, forms, errors, labels."""
