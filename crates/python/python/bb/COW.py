"""Copy-on-write dictionaries and sets, as classes that stand for their only instance.

`COWDictBase.copy()` gives an empty dictionary; `copy()` of a dictionary one that starts
with the same members but changes on its own. Members that can change themselves are
copied when first asked for in the copy. Nothing of bitzel uses this; layers may.
"""

import copy

# Noted in a dictionary that was given a member that can change itself.
MUTABLE = "__mutable__"

ImmutableTypes = (bool, complex, float, int, tuple, frozenset, str)

_GONE = object()


def _changeable(value):
    return value is not None and not isinstance(value, ImmutableTypes)


class COWMeta(type):
    """Base of the two metaclasses."""


class COWDictMeta(COWMeta):
    """The class of dictionaries."""

    # A file that is told about costly uses, or nothing.
    __warn__ = None

    def __str__(cls):
        return "<%s Level: %i Current Keys: %i>" % (cls._kind, cls.__count__, len(cls._own))

    __repr__ = __str__

    def copy(cls):
        """A dictionary that starts with the members of this one."""
        kind = cls._kind
        return type(cls)(kind, (cls,), {"__count__": cls.__count__ + 1, "_own": {}, "_kind": kind})

    __call__ = copy

    def _levels(cls):
        """The dictionaries this one started from, itself first."""
        for level in cls.__mro__:
            own = level.__dict__.get("_own")
            if own is not None:
                yield own

    def _find(cls, key):
        """(value, whether it is of this level); `_GONE` for none."""
        for depth, own in enumerate(cls._levels()):
            if key in own:
                return own[key], depth == 0
        return _GONE, True

    def _warn(cls, text):
        if COWDictBase.__warn__:
            COWDictBase.__warn__.write("Warning: %s\n" % text)

    def __setitem__(cls, key, value):
        if _changeable(value):
            cls._own[MUTABLE] = True
        cls._own[key] = value

    def __getitem__(cls, key, default=_GONE, readonly=False):
        value, own = cls._find(key)
        if value is _GONE:
            if default is not _GONE:
                return default
            raise KeyError(key)
        if own or readonly or not _changeable(value):
            return value
        if isinstance(value, COWMeta):
            value = value.copy()
        else:
            cls._warn("Doing a copy because %s is a mutable type." % key)
            value = copy.copy(value)
        cls._own[key] = value
        return value

    def __getreadonly__(cls, key, default=_GONE):
        return cls.__getitem__(key, default, True)

    get = __getitem__

    def __delitem__(cls, key):
        cls._own[key] = _GONE

    def __revertitem__(cls, key):
        """Forget what this dictionary did with a key."""
        cls._own.pop(key, None)

    def __contains__(cls, key):
        return cls._find(key)[0] is not _GONE

    def has_key(cls, key):
        return key in cls

    def _keys(cls):
        names = {name for own in cls._levels() for name in own if name != MUTABLE}

        def place(name):
            return "%s%s" % (name, MUTABLE) if _changeable(cls._find(name)[0]) else str(name)

        return [name for name in sorted(names, key=place) if name in cls]

    def iter(cls, type, readonly=False):
        for key in cls._keys():
            if type == "keys":
                yield key
                continue
            value = cls.__getitem__(key, None, readonly)
            yield value if type == "values" else (key, value)

    def iterkeys(cls):
        return cls.iter("keys")

    def itervalues(cls, readonly=False):
        if not readonly and cls._has_mutable():
            cls._warn("If you aren't going to change any of the values call with True.")
        return cls.iter("values", readonly)

    def iteritems(cls, readonly=False):
        if not readonly and cls._has_mutable():
            cls._warn("If you aren't going to change any of the values call with True.")
        return cls.iter("items", readonly)

    def _has_mutable(cls):
        return any(MUTABLE in own for own in cls._levels())


class COWSetMeta(COWDictMeta):
    """The class of sets: dictionaries from what stands for a member to the member."""

    def add(cls, value):
        COWDictMeta.__setitem__(cls, repr(hash(value)), value)

    def remove(cls, value):
        COWDictMeta.__delitem__(cls, repr(hash(value)))

    def __in__(cls, value):
        return repr(hash(value)) in cls

    def iterkeys(cls):
        raise TypeError("sets don't have keys")

    def iteritems(cls):
        raise TypeError("sets don't have 'items'")


class COWDictBase(metaclass=COWDictMeta):
    """The empty dictionary that all start from."""

    __count__ = 0
    _own = {}
    _kind = "COWDict"


class COWSetBase(metaclass=COWSetMeta):
    """The empty set that all start from."""

    __count__ = 0
    _own = {}
    _kind = "COWSet"
