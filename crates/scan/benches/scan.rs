//! Time for bodies of the usual size: a shell task of 50 lines, a Python function of 40.

#![allow(missing_docs, reason = "criterion's macros make functions without any")]

use bitzel_base::CompatLevel;
use bitzel_scan::{scan_python, scan_shell};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

const SHELL: &str = r#"
	install -d "${D}${bindir}" ${D}${sysconfdir}/init.d # comment
	if [ "$(uname -m)" = x86_64 ] && grep -q '^CONFIG=y$' ${B}/.config; then
		sed -i -e 's,@BINDIR@,${bindir},g' \
			-e "s:@LIB@:${libdir}:" ${WORKDIR}/init
		for f in a b `ls *.conf`; do
			install -m 0644 $f ${D}${sysconfdir}/ || bbfatal "no $f"
		done
	fi
	case "${TARGET_ARCH}" in
	arm|aarch64) oe_runmake CC="${CC}" install ;;
	*) cat <<EOF > ${B}/out
some text $(not_run)
EOF
	;;
	esac
"#;

const PYTHON: &str = r#"
    import os
    pn = d.getVar('PN')
    for pkg in (d.getVar('PACKAGES') or "").split():
        if bb.utils.contains('DISTRO_FEATURES', 'systemd', True, False, d):
            path = oe.path.join(d.getVar('D'), d.getVar("systemd_unitdir"), "%s.service" % pkg)
            if not os.path.exists(path):
                bb.warn("%s: no %s" % (pn, path))
                continue
            d.appendVar('FILES:' + pkg, ' ' + path)
        flags = d.getVarFlag('do_install', 'depends') or ''
        d.setVarFlag('do_install', 'depends', flags + ' x:do_y')
"#;

fn scan(c: &mut Criterion) {
    let shell = SHELL.repeat(3);
    let python = PYTHON.repeat(3);
    let level = CompatLevel::V2_18;
    c.bench_function("shell, 50 lines", |b| b.iter(|| scan_shell(black_box(&shell), level)));
    c.bench_function("python, 40 lines", |b| b.iter(|| scan_python(black_box(&python), level)));
    let inline = "bb.utils.contains('DISTRO_FEATURES', 'systemd', '1', '0', d)";
    c.bench_function("python, inline", |b| b.iter(|| scan_python(black_box(inline), level)));
}

criterion_group!(benches, scan);
criterion_main!(benches);
