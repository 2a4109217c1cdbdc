inherit helper
do_build() {
	echo "${GREETING}"
}
addtask build
python () {
    d.setVar("SETTLED", "by an anonymous function")
}

addhandler deferred
deferred[eventmask] = "bb.event.RecipePreDeferredInherits"
python deferred() {
    d.setVar("DEFERRED", repr(e.inherits))
}
