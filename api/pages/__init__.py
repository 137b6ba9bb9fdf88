"""The patient's pages: routes, the form, the results in words, languages, the map and the assets."""
