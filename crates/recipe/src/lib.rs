//! Base configuration, layers, evaluation of recipes, recipe cache, provider data.
