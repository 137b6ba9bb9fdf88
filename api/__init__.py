"""The HTTP interface: a Flask app factory, thin blueprints, one error map, and the pages.

`app.create_app` builds everything; nothing is made at import. The blueprints turn a request into a call of
`sitematch.services` and its answer into bytes; no rule of matching lives here.
"""
