"""The patient's pages: routes, the form, results in words, languages, the map and the assets."""
