"""What every page of the console is made with: routes, session, who may see a page, context, forms, errors, labels."""
