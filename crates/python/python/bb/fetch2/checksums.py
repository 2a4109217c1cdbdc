"""Checksums of downloads: what is expected, what is found, and the `.done` stamps that remember it."""

# In the order they are computed; `goh1` is Go's hash of the files in a module archive.
CHECKSUM_LIST = ["goh1", "md5", "sha256", "sha1", "sha384", "sha512"]
# Those shown to who has to add a checksum.
SHOWN_CHECKSUM_LIST = ["sha256"]
