"""The questions: SRC_URIs that exercise each parameter, with the variables that go with them.

In texts `@H` is the web server's host and port, `@R` the world's folder, `@rev:NAME@` a revision,
`@KIND:FILE@` a checksum of a served file.
"""

import re

_GIT = "git://@H/git/repo.git;protocol=http"
_FILE = "git://@R/git/repo.git;protocol=file"


class Case:
    """One question: `urls`, variables, flags of SRC_URI, tools it needs, and what is in DL_DIR before (`dl`).

    `again` are variables for a second run in the same DL_DIR, to a fresh folder.
    """

    def __init__(self, name, urls, needs=(), flags=None, dl=None, again=None, **variables):
        self.name = name
        self.urls = urls
        self.needs = needs
        self.flags = flags or {}
        self.dl = dl or {}
        self.again = again
        self.variables = variables


def _web(path, more="", kind="sha256"):
    return "http://@H/%s;%ssum=@%s:%s@%s" % (path, kind, kind, path, more)


def _git(parameters="branch=main", base=_GIT):
    return "%s;%s" % (base, parameters)


def _archives():
    needs = {"zst": "zstd", "tzst": "zstd", "lz": "lzip", "Z": "compress", "7z": "7za", "zip": "unzip", "jar": "unzip",
             "deb": "ar", "ipk": "ar"}
    for name in ("a.tar", "a.tar.gz", "a.tgz", "a.tar.bz2", "a.tbz", "a.tbz2", "a.tar.xz", "a.txz", "a.tar.zst", "a.tzst",
                 "a.tar.lz", "a.tar.Z", "a.zip", "a.jar", "a.7z", "a.deb", "a.ipk", "nodata.deb", "single.txt.gz",
                 "single.txt.bz2", "single.txt.xz", "single.txt.zst", "single.txt.lz", "single.txt.Z", "broken.tar.gz",
                 "modes.tar", "plain.txt", "script.sh"):
        tool = needs.get(name.rpartition(".")[2])
        yield Case("archive " + name, _web(name), needs=(tool,) if tool else ())
    for name in ("a.tar.gz", "a.zip", "single.txt.gz", "plain.txt"):
        yield Case("subdir " + name, _web(name, ";subdir=in/side"))
        yield Case("unpack=0 " + name, _web(name, ";unpack=0"))
        yield Case("unpack=0 and subdir " + name, _web(name, ";unpack=0;subdir=in"))
    for level in ("0", "1", "2", "9", "x", "-1", ""):
        yield Case("striplevel=%s" % level, _web("a.tar.gz", ";striplevel=%s" % level))
    yield Case("striplevel of a zip", _web("a.zip", ";striplevel=1"))
    for value in ("0", "1", "yes", "perhaps", ""):
        yield Case("dos=%s" % value, _web("a.zip", ";dos=%s" % value))
    for value in ("1", "no", "false", "perhaps", ""):
        yield Case("unpack=%s" % value, _web("a.tar.gz", ";unpack=%s" % value))
    yield Case("subdir with dots", _web("plain.txt", ";subdir=a/../b"))
    yield Case("subdir that is absolute", _web("plain.txt", ";subdir=/nowhere/else"))
    yield Case("subdir with a variable left", _web("plain.txt", ";subdir=${NONE}"))
    yield Case("two archives in one folder", _web("a.tar.gz") + " " + _web("modes.tar", ";name=m"))


def _files():
    yield Case("file", "file://one.txt")
    yield Case("file from the second folder", "file://two.txt")
    yield Case("file with its mode", "file://run.sh")
    yield Case("file with a blank", "file://sp%20ace.txt")
    yield Case("file with an at sign", "file://at@me")
    yield Case("file that is a link", "file://link")
    yield Case("file in a folder", "file://tree/in/side.txt")
    yield Case("folder", "file://tree")
    yield Case("folder with a slash", "file://tree/")
    yield Case("folder in a folder", "file://tree/in")
    yield Case("link to a folder", "file://treelink")
    yield Case("file with subdir", "file://tree/in/side.txt;subdir=s")
    yield Case("folder with subdir", "file://tree;subdir=s")
    yield Case("file archive", "file://local.tar.gz")
    yield Case("file archive left as it is", "file://local.tar.gz;unpack=0;subdir=s")
    yield Case("file archive stripped", "file://local.tar.gz;striplevel=2")
    yield Case("file by its whole path", "file://@R/files/y/two.txt")
    yield Case("folder by its whole path", "file://@R/files/y/tree")
    yield Case("file that is nowhere", "file://none.txt")
    yield Case("file with a star", "file://*.txt")
    yield Case("patch with its parameters", "file://fix.patch;apply=yes;striplevel=0;patchdir=x;pnum=2")
    yield Case("file with a checksum that is wrong", "file://one.txt;sha256sum=" + "0" * 64)
    yield Case("several", "file://one.txt file://two.txt;subdir=a file://tree")


def _web_cases():
    for kind in ("md5", "sha1", "sha256", "sha384", "sha512"):
        yield Case("%ssum" % kind, _web("plain.txt", "", kind))
        yield Case("wrong %ssum" % kind, "http://@H/plain.txt;%ssum=%s" % (kind, "0" * 64))
        yield Case("SRC_URI[%ssum]" % kind, "http://@H/plain.txt", flags={"%ssum" % kind: "@%s:plain.txt@" % kind})
        yield Case("SRC_URI[n.%ssum]" % kind, "http://@H/plain.txt;name=n",
                   flags={"n.%ssum" % kind: "@%s:plain.txt@" % kind})
    yield Case("one of two checksums is wrong", _web("plain.txt", ";md5sum=" + "0" * 32))
    yield Case("the flag of another name", "http://@H/plain.txt;name=n", BB_STRICT_CHECKSUM="1",
               flags={"sha256sum": "@sha256:plain.txt@"})
    for strict in ("", "0", "1", "ignore"):
        yield Case("no checksum, BB_STRICT_CHECKSUM=%s" % strict, "http://@H/plain.txt", BB_STRICT_CHECKSUM=strict)
    yield Case("downloadfilename", _web("plain.txt", ";downloadfilename=other.txt"))
    yield Case("downloadfilename with a folder", _web("plain.txt", ";downloadfilename=in/other.txt"))
    yield Case("downloadfilename makes an archive", _web("crates/foo-1.0.0.crate", ";downloadfilename=x.tar.gz"))
    yield Case("a name with a blank", "http://@H/odd%20name.zip;sha256sum=@sha256:odd name.zip@")
    yield Case("a query", "http://@H/plain.txt?x=1;sha256sum=@sha256:plain.txt@")
    yield Case("a query and downloadfilename", "http://@H/plain.txt?x=1;sha256sum=@sha256:plain.txt@;downloadfilename=q")
    yield Case("a fragment", "http://@H/plain.txt#x;sha256sum=@sha256:plain.txt@")
    yield Case("a redirection", "http://@H/moved/plain.txt;sha256sum=@sha256:plain.txt@")
    yield Case("a file that is not there", "http://@H/none.txt;sha256sum=" + "0" * 64)
    yield Case("an empty file", "http://@H/empty;sha256sum=" + "0" * 64)
    yield Case("user and password", "http://me:secret@@H/private/plain.txt;sha256sum=@sha256:plain.txt@")
    yield Case("user and pswd", "http://@H/private/plain.txt;user=me;pswd=secret;sha256sum=@sha256:plain.txt@")
    yield Case("redirectauth=0", "http://me:secret@@H/private/plain.txt;redirectauth=0;sha256sum=@sha256:plain.txt@")
    yield Case("a wrong password", "http://me:wrong@@H/private/plain.txt;sha256sum=@sha256:plain.txt@")
    yield Case("no login", "http://@H/private/plain.txt;sha256sum=@sha256:plain.txt@")
    yield Case("protocol=git over http", "http://@H/git/repo.git;protocol=git")
    yield Case("two names for two files", "http://@H/plain.txt;name=a http://@H/other/plain.txt;name=b;downloadfilename=o",
               flags={"a.sha256sum": "@sha256:plain.txt@", "b.sha256sum": "@sha256:other/plain.txt@"})
    yield Case("two names in one URL", "http://@H/plain.txt;name=a,b")
    yield Case("an unknown parameter", _web("plain.txt", ";whatever=1;flag"))
    yield Case("the same URL twice", _web("plain.txt") + " " + _web("plain.txt"))
    yield Case("a scheme in capitals", _web("plain.txt").replace("http:", "HTTP:"))
    yield Case("an unknown scheme", "gopher://@H/plain.txt")
    yield Case("no scheme", "plain.txt")
    yield Case("no path", "http://@H")
    yield Case("a folder's name", "http://@H/other/")
    yield Case("PV in the URL", "http://@H/${PN}.txt;sha256sum=@sha256:plain.txt@", PN="plain")
    yield Case("the file is there", _web("plain.txt"), dl={"plain.txt": b"plain\n"}, BB_NO_NETWORK="1")
    yield Case("another file is there", _web("plain.txt"), dl={"plain.txt": b"wrong\n"})
    yield Case("another file is there, no network", _web("plain.txt"), dl={"plain.txt": b"wrong\n"}, BB_NO_NETWORK="1")
    yield Case("the file is there, without checksum", "http://@H/plain.txt", dl={"plain.txt": b"wrong\n"})
    yield Case("an empty stamp is there", _web("plain.txt"), dl={"plain.txt": b"plain\n", "plain.txt.done": b""})
    yield Case("a stamp without file is there", _web("plain.txt"), dl={"plain.txt.done": b""})
    yield Case("a stamp of rubbish is there", _web("plain.txt"), dl={"plain.txt": b"plain\n", "plain.txt.done": b"\x80x"})
    yield Case("no network", _web("plain.txt"), BB_NO_NETWORK="1")
    yield Case("no such network", _web("plain.txt"), BB_ALLOWED_NETWORKS="example.org *.example.com")
    yield Case("an allowed network", _web("plain.txt"), BB_ALLOWED_NETWORKS="127.0.0.1")
    yield Case("another checksum in the second run", "http://@H/plain.txt;sha256sum=${SUM}", SUM="@sha256:plain.txt@",
               again={"SUM": "0" * 64, "BB_NO_NETWORK": "1"})


def _mirrors():
    gone = "http://gone.invalid/x/plain.txt;sha256sum=@sha256:plain.txt@"
    no_upstream = {"BB_ALLOWED_NETWORKS": "127.0.0.1"}
    for name, line in (("a folder", "http://.*/.* http://@H/"), ("a file", "http://.*/x/plain.txt http://@H/plain.txt"),
                       ("BASENAME", "http://.*/.* http://@H/BASENAME"), ("PATH", "http://.*/x/ http://@H/PATH"),
                       ("HOST", "http://.*/.* http://@H/HOST/"), ("TYPE", "http://.*/.* TYPE://@H/"),
                       ("MIRRORNAME", "http://.*/.* http://@H/MIRRORNAME"), ("another scheme", "https://.*/.* http://@H/"),
                       ("files", "http://.*/.* file://@R/www/"), ("files by name", "http://.*/.* file://@R/www/plain.txt"),
                       ("two lines", "http://.*/.* http://@H/nowhere/ \\n http://.*/.* http://@H/"),
                       ("downloadfilename", "http://.*/.* http://@H/plain.txt;downloadfilename=m"),
                       ("an odd number", "http://.*/.*")):
        yield Case("PREMIRRORS: " + name, gone, PREMIRRORS=line, **no_upstream)
        yield Case("MIRRORS: " + name, _web("missing/plain.txt").replace("missing/plain.txt@", "plain.txt@"),
                   MIRRORS=line.replace("http://.*/x/", "http://.*/missing/"))
    yield Case("BB_FETCH_PREMIRRORONLY with", gone, PREMIRRORS="http://.*/.* http://@H/", BB_FETCH_PREMIRRORONLY="1")
    yield Case("BB_FETCH_PREMIRRORONLY without", _web("plain.txt"), BB_FETCH_PREMIRRORONLY="1")
    yield Case("a tarball of a repository from a mirror", "git://gone.invalid/repo.git;branch=main", SRCREV="@rev:second@",
               PREMIRRORS="git://.*/.* file://@R/tarballs/", BB_ALLOWED_NETWORKS="127.0.0.1")
    yield Case("a repository from a mirror", "git://gone.invalid/repo.git;branch=main", SRCREV="@rev:second@",
               PREMIRRORS="git://gone.invalid/.* git://@H/git/repo.git;protocol=http", BB_ALLOWED_NETWORKS="127.0.0.1")


def _repositories():
    second = {"SRCREV": "@rev:second@"}
    for name, parameters in (
            ("plain", "branch=main"), ("destsuffix", "branch=main;destsuffix=x/y"), ("subdir", "branch=main;subdir=s"),
            ("subdir and destsuffix", "branch=main;subdir=s;destsuffix=d"),
            ("subdir and subpath", "branch=main;subdir=s;subpath=dir"), ("subpath", "branch=main;subpath=dir"),
            ("deep subpath", "branch=main;subpath=dir/sub;destsuffix=z"), ("subpath that is not there", "branch=main;subpath=q"),
            ("nobranch", "nobranch=1"), ("nobranch and branch", "nobranch=1;branch=main"), ("no branch", "x=1"),
            ("a branch without the revision", "branch=side/branch"), ("no such branch", "branch=none"),
            ("bareclone", "branch=main;bareclone=1"), ("nocheckout", "branch=main;nocheckout=1"),
            ("rebaseable", "branch=main;rebaseable=1"), ("lfs=0", "branch=main;lfs=0"), ("tag", "branch=main;tag=v2"),
            ("tag of another revision", "branch=main;tag=v1"), ("no such tag", "branch=main;tag=v9"),
            ("name", "branch=main;name=n"), ("usehead of a server", "branch=main;usehead=1"),
            ("user", "branch=main;user=me"), ("protocol that is none", "branch=main;protocol=gopher")):
        yield Case("git " + name, _git(parameters), **second)
    yield Case("git rev", _git("branch=main;rev=@rev:first@"), SRCREV="INVALID")
    yield Case("git rev and SRCREV", _git("branch=main;rev=@rev:first@"), **second)
    yield Case("git tag alone", _git("branch=main;tag=v2"), SRCREV="INVALID", PV="1+git")
    yield Case("git tag of the first commit", _git("branch=main;tag=v1"), SRCREV="@rev:first@")
    yield Case("git SRCREV of the tag object", _git("branch=main;tag=v2"), SRCREV="@rev:tagobject@")
    yield Case("git SRCREV_name", _git("branch=main;name=n"), SRCREV_n="@rev:first@", SRCREV="INVALID")
    yield Case("git without SRCREV", _git("branch=main"), SRCREV="INVALID")
    yield Case("git short revision", _git("branch=main"), SRCREV="abcdef")
    yield Case("git unknown revision", _git("branch=main"), SRCREV="1" * 40)
    yield Case("git side branch", _git("branch=side/branch"), SRCREV="@rev:side@")
    yield Case("git revision on no branch", _git("nobranch=1"), SRCREV="@rev:lost@")
    yield Case("git file", _git(base=_FILE), **second)
    yield Case("git usehead", "git://@R/work;protocol=file;usehead=1", SRCREV="AUTOINC", __BBSRCREV_SEEN="1")
    yield Case("git AUTOREV", _git("branch=main"), SRCREV="AUTOINC", __BBSRCREV_SEEN="1")
    yield Case("git AUTOREV of a branch", _git("branch=side/branch"), SRCREV="AUTOINC", __BBSRCREV_SEEN="1")
    yield Case("git AUTOREV without network", _git("branch=main"), SRCREV="AUTOINC", __BBSRCREV_SEEN="1", BB_NO_NETWORK="1")
    yield Case("git without network", _git("branch=main"), BB_NO_NETWORK="1", **second)
    yield Case("git BB_GIT_DEFAULT_DESTSUFFIX", _git("branch=main"), BB_GIT_DEFAULT_DESTSUFFIX="src", **second)
    yield Case("git GITDIR", _git("branch=main"), GITDIR="${DL_DIR}/elsewhere", **second)
    yield Case("git BB_GENERATE_MIRROR_TARBALLS", _git("branch=main"), BB_GENERATE_MIRROR_TARBALLS="1", **second)
    yield Case("git BB_GIT_NOSHARED", _git("branch=main"), BB_GIT_NOSHARED="1", **second)
    yield Case("git another revision in the second run", _git("branch=main"), SRCREV="@rev:first@",
               again={"SRCREV": "@rev:second@", "BB_NO_NETWORK": "1"})
    shallow = {"BB_GIT_SHALLOW": "1", "BB_GENERATE_SHALLOW_TARBALLS": "1"}
    yield Case("git shallow", _git("branch=main"), **second, **shallow)
    yield Case("git shallow of the first commit", _git("branch=main"), SRCREV="@rev:first@", **shallow)
    yield Case("git shallow, depth 2", _git("branch=main"), BB_GIT_SHALLOW_DEPTH="2", **second, **shallow)
    yield Case("git shallow, depth by name", _git("branch=main;name=n"), SRCREV_n="@rev:second@",
               BB_GIT_SHALLOW_DEPTH_n="2", **shallow)
    yield Case("git shallow, depth that is none", _git("branch=main"), BB_GIT_SHALLOW_DEPTH="-1", **second, **shallow)
    yield Case("git shallow, nobranch", _git("nobranch=1"), **second, **shallow)
    yield Case("git shallow, bare", _git("branch=main;bareclone=1"), **second, **shallow)
    yield Case("git shallow, further refs", _git("branch=main"), BB_GIT_SHALLOW_EXTRA_REFS="refs/tags/v1", **second, **shallow)
    yield Case("git shallow, a branch with a slash", _git("branch=side/branch"), SRCREV="@rev:side@", **shallow)
    yield Case("git shallow, no tarball asked for", _git("branch=main"), BB_GIT_SHALLOW="1", **second)
    yield Case("two repositories", _git("branch=main;name=a;destsuffix=a") + " "
               + _git("branch=side/branch;name=b;destsuffix=b"), SRCREV_a="@rev:second@", SRCREV_b="@rev:side@",
               SRCREV_FORMAT="a_b")
    yield Case("submodules", "gitsm://@H/git/super.git;protocol=http;branch=main", SRCREV="@rev:super@")
    yield Case("submodules left out", "git://@H/git/super.git;protocol=http;branch=main", SRCREV="@rev:super@")
    yield Case("submodules of a repository without", "gitsm://@H/git/repo.git;protocol=http;branch=main", **second)
    yield Case("submodules without network", "gitsm://@H/git/super.git;protocol=http;branch=main", SRCREV="@rev:super@",
               again={"BB_NO_NETWORK": "1"})


def _other_systems():
    svn = "svn://@R/svn;protocol=file;module=trunk"
    for name, more, revision in (("", "", "2"), (" rev", ";rev=1", "INVALID"), (" path_spec", ";path_spec=co", "2"),
                                 (" scmdata=keep", ";scmdata=keep", "2"), (" subdir", ";subdir=s", "2"),
                                 (" nopegrevision", ";nopegrevision=1", "1"), (" externals", ";externals=allowed", "2"),
                                 (" no such revision", "", "99")):
        yield Case("svn" + name, svn + more, needs=("svn",), SRCREV=revision)
    yield Case("svn without module", "svn://@R/svn;protocol=file", needs=("svn",), SRCREV="2")
    yield Case("svn AUTOREV", svn, needs=("svn",), SRCREV="AUTOINC", __BBSRCREV_SEEN="1")
    hg = "hg://@R/hg;protocol=file;module=proj"
    for name, more, revision in (("", "", "@rev:hgtwo@"), (" first", "", "@rev:hgone@"), (" rev", ";rev=@rev:hgone@", "INVALID"),
                                 (" destsuffix", ";destsuffix=d", "@rev:hgtwo@"), (" subdir", ";subdir=s", "@rev:hgtwo@"),
                                 (" scmdata=nokeep", ";scmdata=nokeep", "@rev:hgtwo@"), (" no such revision", "", "f" * 40)):
        yield Case("hg" + name, hg + more, needs=("hg",), SRCREV=revision)
    yield Case("hg with a mirror tarball", hg, needs=("hg",), SRCREV="@rev:hgtwo@", BB_GENERATE_MIRROR_TARBALLS="1")
    yield Case("hg without module", "hg://@R/hg;protocol=file", needs=("hg",), SRCREV="@rev:hgtwo@")
    yield Case("hg AUTOREV", hg, needs=("hg",), SRCREV="AUTOINC", __BBSRCREV_SEEN="1")


def _packages():
    to_here = {"PREMIRRORS": "https://.*/.* http://@H/crates/",
               "BB_ALLOWED_NETWORKS": "127.0.0.1"}
    sums = {"foo-1.0.0.sha256sum": "@sha256:crates/foo-1.0.0.crate@"}
    yield Case("crate", "crate://crates.io/foo/1.0.0", flags=sums, **to_here)
    yield Case("crate, the recipe's own", "crate://crates.io/foo/1.0.0", flags=sums, BP="foo-1.0.0", **to_here)
    yield Case("crate with a name", "crate://crates.io/foo/1.0.0;name=n",
               flags={"n.sha256sum": "@sha256:crates/foo-1.0.0.crate@"}, **to_here)
    yield Case("crate of a wrong checksum", "crate://crates.io/foo/1.0.0", flags={"foo-1.0.0.sha256sum": "0" * 64}, **to_here)
    yield Case("crate without version", "crate://crates.io/foo", **to_here)
    yield Case("crate of another registry", "crate://example.org/foo/1.0.0", flags=sums, **to_here)
    go = {"PREMIRRORS": "https://.*/.* http://@H/goproxy/", "BB_ALLOWED_NETWORKS": "127.0.0.1"}
    yield Case("gomod", "gomod://example.org/Mod;version=v1.2.0;sha256sum=@sha256:goproxy/example.org.Mod@v1.2.0.zip@", **go)
    yield Case("gomod, mod=1", "gomod://example.org/Mod;version=v1.2.0;mod=1;"
               "sha256sum=@sha256:goproxy/example.org.Mod@v1.2.0.mod@", **go)
    yield Case("gomod without version", "gomod://example.org/Mod", **go)
    yield Case("npm", "npm://registry.example.org;package=foo;version=1.0.0")
    yield Case("npmsw", "npmsw://@R/files/x/one.txt")


def all_cases():
    """Every case, in order; names are unique."""
    cases = [case for make in (_archives, _files, _web_cases, _mirrors, _repositories, _other_systems, _packages)
             for case in make()]
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), sorted(name for name in names if names.count(name) > 1)
    return cases


def fill(text, world, host, revisions, checksum):
    """`text` with its placeholders replaced; `checksum(kind, file)` answers for those."""
    text = re.sub(r"@rev:(\w+)@", lambda match: revisions.get(match.group(1), "0" * 40), text)
    text = re.sub(r"@(md5|sha1|sha256|sha384|sha512):(.+?)@(?=[;\s]|$)",
                  lambda match: checksum(match.group(1), match.group(2)), text)
    return text.replace("@H", host).replace("@R", world)
