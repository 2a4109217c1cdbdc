"""The only place where the fetcher touches the native module `_bitzel`.

Expected of it:

`fetch_files(jobs: str, options: str, progress) -> str`
    Downloads a JSON list of jobs at the same time and gives a JSON list of answers, in order.
    A job: url, target, user, password, redirect_auth, headers, lock, done, expected (checksums
    by kind). Options: tries, timeout, insecure, ca_file, proxies, no_proxy, netrc, threads.
    An answer has `url` and one of: `found` (checksums by kind), `present` (another process was
    faster), `bad_checksum` with `computed` and `error`, or only `error`. `progress` is called
    several times a second with a JSON list of name, done, total, rate and stage (active; once done,
    present or failed); if it returns a false value, everything stops.
"""


def fetch_files(jobs, options, progress):
    """See above. Raises ValueError and OSError."""
    import _bitzel
    return _bitzel.fetch_files(jobs, options, progress)
