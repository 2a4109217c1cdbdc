"""Helpers for metadata: versions, dependency lists, values, files, locks, environment."""

from bb.utils._depends import explode_dep_versions, explode_dep_versions2, explode_deps, join_deps
from bb.utils._edit import edit_bblayers_conf, edit_metadata, edit_metadata_file
from bb.utils._environment import (approved_variables, build_environment, check_system_locale, clean_environment,
                                   empty_environment, environment, export_proxies, filter_environment,
                                   preserved_envvars, preserved_envvars_exported, umask)
from bb.utils._execute import (better_compile, better_eval, better_exec, clean_context,
                               exec_flat_python_func, get_context, set_context, simple_exec)
from bb.utils._files import (_check_unsafe_delete_path, break_hardlinks, copyfile, is_path_on_nfs, mkdirhier, mkstemp,
                             movefile, path_is_descendant, prunedir, remove, rename, which)
from bb.utils._hashes import goh1_file, md5_file, sha1_file, sha256_file, sha384_file, sha512_file
from bb.utils._layers import (LogCatcher, get_collection_res, get_file_layer, load_plugins, process_profilelog,
                              profile_function, python_extensions)
from bb.utils._locks import fileslocked, lock_timeout, lock_timeout_nocheck, lockfile, unlockfile
from bb.utils._log import logger
from bb.utils._system import (PrCtlError, cpu_count, disable_network, enable_loopback_networking, getstatusoutput,
                              ioprio_set, is_local_uid, nonblockingfd, set_process_name, signal_on_parent_exit)
from bb.utils._values import (contains, contains_any, filter, filter_string, get_referenced_vars, prune_suffix,
                              to_boolean, to_filemode)
from bb.utils._version import (VersionStringException, explode_version, is_semver, split_version, vercmp, vercmp_part,
                               vercmp_string, vercmp_string_op)


def __getattr__(name):
    """`_context` is what `get_context()` gives at the moment."""
    if name == "_context":
        return get_context()
    raise AttributeError("module %r has no attribute %r" % (__name__, name))
