"""Logging configurations of users (BB_LOGCONFIG): merging them into a default one, putting them into force.

The rules are those of the chapter "Logging" of BitBake's manual.
"""

import copy


def merge(default, user):
    """A user's configuration merged into a default one; `BaseException` for another version."""
    user = copy.deepcopy(user)
    if user.pop("bitbake_merge", True) is False:
        return user
    if user.get("version") != default.get("version"):
        raise BaseException("Bad user configuration version. Expected %r, got %r"
                            % (default.get("version"), user.get("version")))
    merged = copy.deepcopy(default)
    for section in ("handlers", "formatters", "filters"):
        if section in user:
            merged.setdefault(section, {}).update(user[section])
    loggers = merged.setdefault("loggers", {})
    for name, changes in user.get("loggers", {}).items():
        if changes.pop("bitbake_merge", True) is False or name not in loggers:
            loggers[name] = changes
        else:
            _merge_logger(loggers[name], changes)
    return merged


def _merge_logger(logger, changes):
    """Change a logger; handlers and filters are added to those it has."""
    for key, value in changes.items():
        if key in ("handlers", "filters"):
            logger[key] = sorted({*logger.get(key, ()), *value})
        else:
            logger[key] = value


def _read(path):
    """A configuration from a JSON or YAML file."""
    import os
    with open(os.path.normpath(path), "r") as file:
        if path.endswith((".yml", ".yaml")):
            import yaml
            return yaml.safe_load(file)
        import json
        return json.load(file)


def _with_level_numbers(config):
    """The configuration with numbers for the names of levels, which `logging` does not all know."""
    from bb.msg import stringToLevel
    for section in ("handlers", "loggers"):
        for item in config.get(section, {}).values():
            if "level" in item:
                item["level"] = stringToLevel(item["level"])
    if "level" in config.get("root", {}):
        config["root"]["level"] = stringToLevel(config["root"]["level"])
    return config


def apply(default, path):
    """Put a default configuration, with the user's file merged in if given, into force."""
    import logging.config
    config = merge(default, _read(path)) if path else copy.deepcopy(default)
    configurator = logging.config.DictConfigurator(_with_level_numbers(config))
    configurator.configure()
    return configurator
