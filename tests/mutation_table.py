"""`mutmut results --all true | python tests/mutation_table.py`: what became of the mutants of each module, as csv.

With a number N, the names of at most N mutants of each module in place of it: a sample that is the same on every run.
With names of source files, these are rewritten where they lie, in a copy that is to be mutated: `mutmut` leaves
decorated functions alone, so functions are no longer compiled or cached, and properties call a plain method.
"""

import csv
import random
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

#: A line of mutmut's results, such as `sacrepro.bounds.decay.x_lemma3__mutmut_1: killed`.
LINE = re.compile(r"\s*((sacrepro\.[\w.]+)\.\S+__mutmut_\d+): (\w[\w ]*)")


def table(lines):
    """One row a module with something checked, then all together."""
    counts = defaultdict(Counter)
    for found in filter(None, map(LINE.match, lines)):
        if found.group(3).strip() != "not checked":
            for module in (found.group(2), "all"):
                counts[module][found.group(3).strip()] += 1
    for module, count in sorted(counts.items(), key=lambda item: (item[0] == "all", item[0])):
        mutants = sum(count.values())
        yield module, mutants, count["killed"], count["timeout"], mutants - count["killed"] - count["timeout"]


def sample(lines, count):
    """Names of mutants, drawn module by module with seed 0; all of a module that has no more than `count`."""
    names = defaultdict(list)
    for found in filter(None, map(LINE.match, lines)):
        names[found.group(2)].append(found.group(1))
    for module in sorted(names):
        drawn = sorted(names[module])
        yield from drawn if len(drawn) <= count else random.Random(0).sample(drawn, count)


def bare(source):
    """The same module without decorators of functions; its numbers are the same."""
    source = re.sub(r"^ *@(njit|cache|lru_cache|compiled)\b.*\n", "", source, flags=re.MULTILINE)
    of_a_method = r"    \2 = \1(lambda self: self.made_\2())\n\n    def made_\2(self)"
    return re.sub(r"    @((?:cached_)?property)\n    def (\w+)\(self\)", of_a_method, source)


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1].endswith(".py"):
        for path in map(Path, sys.argv[1:]):
            path.write_text(bare(path.read_text()))
    elif len(sys.argv) > 1:
        print(*sample(sys.stdin, int(sys.argv[1])), sep="\n")
    else:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(("module", "mutants", "killed", "timed_out", "survived"))
        writer.writerows(table(sys.stdin))
