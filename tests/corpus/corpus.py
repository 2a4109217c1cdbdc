#!/usr/bin/env python3
"""Records and checks the golden corpus: small texts and what BitBake answers to them.

  corpus.py --record CHECKOUT [TOPIC..]      ask the BitBake in CHECKOUT and write its answers
  corpus.py --check [TOPIC..]                ask the `bb` package that is importable, compare
  corpus.py --count                          cases and differences between the versions, per topic

A topic is a file NAME.json beside this script; its format is described in README.md.
"""
import argparse
import json
import os
import re
import sys

from case import ANY, run_case

HERE = os.path.dirname(os.path.realpath(__file__))


def topic_files(names):
    """Paths of the topic files, all of them when no names are given."""
    found = sorted(f for f in os.listdir(HERE) if f.endswith(".json"))
    if names:
        found = [n + ".json" for n in (n[:-5] if n.endswith(".json") else n for n in names)]
    return [os.path.join(HERE, f) for f in found]


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def store(path, topic):
    with open(path, "w", encoding="utf-8") as f:
        json.dump(topic, f, indent=1, ensure_ascii=False)
        f.write("\n")


def recorded(case, level):
    """The recorded answer of a version; 2.8 is written only where it differs."""
    answers = case["answers"]
    answer = answers.get(level, "same")
    return answers["2.18"] if answer == "same" else answer


def steady(case, command):
    """The answer of a case; of a program, one that came twice (what it prints last may get lost)."""
    answer = run_case(case, command)
    while "command" in case:
        before, answer = answer, run_case(case, command)
        if answer == before:
            break
    return answer


def record(checkout, names, only):
    sys.path.insert(0, os.path.join(checkout, "lib"))
    import bb
    level = ".".join(bb.__version__.split(".")[:2])
    command = os.path.join(checkout, "bin", "bitbake")
    for path in topic_files(names):
        topic = load(path)
        for case in topic["cases"]:
            if only and only not in case["name"]:
                continue
            answers = case.pop("answers", {})
            full = {v: recorded({"answers": answers}, v) for v in ("2.18", "2.8") if "2.18" in answers}
            answer = steady(case, command)
            if "crash" in answer:
                raise SystemExit("%s: case `%s` ended with status %s" % (path, case["name"], answer["crash"]))
            full[level] = answer
            # 2.18 is the reference, so it has to be recorded first.
            case["answers"] = {"2.18": full["2.18"]}
            if level == "2.8" or "2.8" in answers:
                case["answers"]["2.8"] = "same" if full["2.8"] == full["2.18"] else full["2.8"]
        store(path, topic)
        print("%s: %d cases recorded with BitBake %s" % (os.path.basename(path), len(topic["cases"]), bb.__version__))


def same_text(expected, got):
    """Equal, where the recorded text leaves open what is not an answer."""
    if expected == got or expected == ANY:
        return True
    if "<LIB>" not in expected:
        return False
    return re.fullmatch("[^\n]*".join(map(re.escape, expected.split("<LIB>"))), got) is not None


def differences(expected, got, where=""):
    """Lines that say where two answers differ."""
    if isinstance(expected, dict) and isinstance(got, dict):
        lines = []
        if expected.get("type") == "BBHandledException":  # it has been told; nobody prints this text
            expected, got = ({k: v for k, v in x.items() if k != "text"} for x in (expected, got))
        if expected.get("file") == "<LIB>":  # who set it is open, what was set is not
            expected, got = ({k: v for k, v in x.items() if k not in ("file", "line", "func")} for x in (expected, got))
        if expected.get("error", {}).get("type") == ANY:  # how far it came before Python gave up is open
            got = {k: v for k, v in got.items() if k != "messages"}
        for key in sorted(set(expected) | set(got)):
            if key not in got:
                lines.append("  %s/%s: missing, expected %r" % (where, key, expected[key]))
            elif key not in expected:
                lines.append("  %s/%s: unexpected %r" % (where, key, got[key]))
            else:
                lines += differences(expected[key], got[key], where + "/" + key)
        return lines
    if isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        return [x for i, (e, g) in enumerate(zip(expected, got)) for x in differences(e, g, "%s/%d" % (where, i))]
    if expected == got or (isinstance(expected, str) and isinstance(got, str) and same_text(expected, got)):
        return []
    return ["  %s:\n    expected %r\n    got      %r" % (where, expected, got)]


def first_lines(answer):
    """The answer with messages and error texts cut after their first line."""
    if isinstance(answer, dict):
        return {k: ([x.split("\n")[0] for x in v] if k == "messages" else
                    v.split("\n")[0] if k == "text" else first_lines(v)) for k, v in answer.items()}
    return answer


def differs_on_purpose(case, level):
    """Why the answer is another one than BitBake's, if that is wanted (see docs/compat.md)."""
    why = case.get("differs")
    return why.get(level) if isinstance(why, dict) else why


def check(names, level, command, only, brief):
    import bb
    level = level or ".".join(bb.__version__.split(".")[:2])
    total = failed = skipped = wanted = 0
    for path in topic_files(names):
        name, bad, count = os.path.basename(path)[:-5], 0, 0
        for case in load(path)["cases"]:
            if only and only not in case["name"]:
                continue
            if "command" in case and not command:
                skipped += 1
                continue
            count += 1
            answers = [recorded(case, level), run_case(case, command)]
            lines = differences(*(map(first_lines, answers) if brief else answers))
            if differs_on_purpose(case, level):
                wanted += bool(lines)
                lines = [] if lines else ["  is equal by now: take `differs` off"]
            if lines:
                bad += 1
                print("%s: %s\n%s" % (name, case["name"], "\n".join(lines)))
        print("%-24s %4d of %4d equal" % (name, count - bad, count))
        total += count
        failed += bad
    print("level %s: %d of %d cases equal" % (level, total - failed - wanted, total)
          + (", %d differ on purpose" % wanted if wanted else "")
          + (", %d cases not run: they need --command" % skipped if skipped else ""))
    return 1 if failed or not total else 0


def count():
    total = [0, 0]
    for path in topic_files(()):
        cases = load(path)["cases"]
        differ = sum(c["answers"].get("2.8") != "same" for c in cases)
        print("%-24s %4d cases, %3d differ between 2.8 and 2.18" % (os.path.basename(path)[:-5], len(cases), differ))
        total = [total[0] + len(cases), total[1] + differ]
    print("%-24s %4d cases, %3d differ" % ("all", *total))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--record", metavar="CHECKOUT", help="a BitBake checkout, 2.18 before 2.8")
    mode.add_argument("--check", action="store_true")
    mode.add_argument("--count", action="store_true")
    parser.add_argument("--level", help="compare with the answers of 2.8 or 2.18 (default: what bb.__version__ says)")
    parser.add_argument("--command", help="the bitbake program to run for cases that need one, e.g. 'bitzel bitbake'")
    parser.add_argument("--only", metavar="TEXT", help="only cases whose name contains TEXT")
    parser.add_argument("--first-lines", action="store_true", help="compare only the first line of messages and errors")
    parser.add_argument("topics", nargs="*")
    options = parser.parse_args()
    if options.count:
        return count()
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets shows in some values
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable] + sys.argv)
    if options.record:
        return record(os.path.realpath(options.record), options.topics, options.only)
    return check(options.topics, options.level, options.command, options.only, options.first_lines)


if __name__ == "__main__":
    sys.exit(main())
