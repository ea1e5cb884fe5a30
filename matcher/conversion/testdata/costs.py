#!/usr/bin/env python3
"""Writes costs.yaml: the cost cases with their arithmetic, in exact fractions.

It shares no code with the engine: python3 costs.py > costs.yaml
Amounts are fen, rates basis points, days calendar days.
"""
from fractions import Fraction as F

SCHEDULES = {
    # name: entry ladder [(below, rate, fixed)], percent off, exit ladder [(below, rate)], management, custody, service
    "equity_a": ([(100_000_000, 150, 0), (200_000_000, 120, 0), (500_000_000, 80, 0), (0, 0, 100_000)], 90,
                 [(7, 150), (30, 100), (180, 50), (0, 0)], 120, 20, 0),
    "equity_a_full": ([(100_000_000, 150, 0), (200_000_000, 120, 0), (500_000_000, 80, 0), (0, 0, 100_000)], 0,
                      [(7, 150), (30, 100), (180, 50), (0, 0)], 120, 20, 0),
    "equity_c": ([(0, 0, 0)], 0, [(7, 150), (30, 50), (0, 0)], 120, 20, 40),
    "equity_b": ([(0, 50, 0)], 0, [(7, 150), (0, 0)], 120, 20, 25),
    "bond_a_flat": ([(0, 80, 0)], 0, [(7, 150), (0, 0)], 30, 10, 0),
    "bond_c": ([(0, 0, 0)], 0, [(7, 150), (0, 0)], 30, 10, 25),
    "money": ([(0, 0, 0)], 0, [(0, 0)], 15, 5, 25),
    "fixed_small": ([(0, 0, 4_000)], 0, [(7, 150), (0, 0)], 120, 20, 0),
    "fixed_above": ([(0, 0, 4_001)], 0, [(7, 150), (0, 0)], 120, 20, 0),
    "same_exit_a": ([(0, 150, 0)], 90, [(7, 150), (0, 0)], 120, 20, 0),
    "same_exit_free": ([(0, 150, 0)], 100, [(7, 150), (0, 0)], 120, 20, 0),
    "large_a": ([(0, 0, 100_000)], 0, [(7, 150), (30, 100), (0, 0)], 120, 20, 0),
    "large_c": ([(0, 0, 0)], 0, [(7, 150), (30, 100), (0, 0)], 120, 20, 40),
    "large_a_long": ([(0, 0, 100_000)], 0, [(7, 150), (180, 50), (0, 0)], 120, 20, 0),
    "same_exit_c": ([(0, 0, 0)], 0, [(7, 150), (0, 0)], 120, 20, 40),
}


def at_discount(name, off):
    entry, _, exits, management, custody, service = SCHEDULES[name]
    return (entry, off, exits, management, custody, service)


for off in (10, 20, 40, 60, 99, 100):
    SCHEDULES[f"equity_a_off_{off}"] = at_discount("equity_a", off)


def half_up(x):
    return (2 * x.numerator + x.denominator) // (2 * x.denominator)


def show(x):
    """A fraction as a decimal; cut to four places with dots when it goes on."""
    whole, rest = divmod(x.numerator, x.denominator)
    if rest == 0:
        return f"{whole:,}"
    digits, n = "", rest
    while n and len(digits) < 6:
        n *= 10
        digits += str(n // x.denominator)
        n %= x.denominator
    return f"{whole:,}.{digits}" if n == 0 else f"{whole:,}.{digits[:4]}.."


def percent(bps):
    return f"{show(F(bps, 100))} %"


def cost(schedule, amount, days, money=False):
    """Returns entry, service, running, exit and the arithmetic, line by line."""
    entry_ladder, off, exit_ladder, management, custody, service = SCHEDULES[schedule]
    lines = []
    below, rate, fixed = next(t for t in entry_ladder if t[0] == 0 or amount < t[0])
    kept = 100 - off
    if fixed:
        exact = F(fixed * kept, 100)
        entry = min(half_up(exact), amount)
        lines.append(f"entry: fixed {fixed:,} x {kept}/100 = {show(exact)} -> {entry:,}" + (", all there is" if entry == amount else ""))
        net = amount - entry
        lines.append(f"net:   {amount:,} - {entry:,} = {net:,}")
    else:
        effective = F(rate * kept, 1_000_000)
        exact = amount / (1 + effective)
        net = half_up(exact)
        entry = amount - net
        lines.append(f"rate:  {percent(rate)} x {kept}/100 = {show(effective * 100)} %")
        lines.append(f"net:   {amount:,} / {show(1 + effective)} = {show(exact)} -> {net:,}")
        lines.append(f"entry: {amount:,} - {net:,} = {entry:,}")
    charged = days if money else min(days, 365)
    exact = F(net * service * charged, 10_000 * 365)
    s = half_up(exact)
    lines.append(f"service: {net:,} x {percent(service)} x {charged}/365 = {show(exact)} -> {s:,}" +
                 (" (F03: no more than a year)" if charged < days else ""))
    exact = F(net * (management + custody) * days, 10_000 * 365)
    r = half_up(exact)
    lines.append(f"running: {net:,} x {percent(management + custody)} x {days}/365 = {show(exact)} -> {r:,}")
    rate = next(t[1] for t in exit_ladder if t[0] == 0 or days < t[0])
    exact = F(net * rate, 10_000)
    e = half_up(exact)
    lines.append(f"exit:  {net:,} x {percent(rate)} = {show(exact)} -> {e:,}")
    return entry, s, r, e, lines


CASES = []
for d in (0, 6, 7, 29, 30, 179, 180, 364, 365, 366):
    CASES.append((f"class A, a tenth of the fee, {d} days", "equity_a", 1_000_000, d, False))
for d in (6, 7, 29, 30, 179, 180, 364, 365, 366, 730):
    CASES.append((f"class C, {d} days", "equity_c", 1_000_000, d, False))
for bound in (100_000_000, 200_000_000, 500_000_000):
    for beside, amount in (("a fen below", bound - 1), ("at", bound), ("a fen above", bound + 1)):
        CASES.append((f"entry ladder, {beside} {bound:,} fen", "equity_a_full", amount, 180, False))
for amount in (1, 33, 34, 66, 67, 100, 101, 1_234_567):
    CASES.append((f"net first, then the fee: {amount:,} fen at 1.5 %", "equity_a_full", amount, 180, False))
for off in (10, 20, 40, 60, 99, 100):
    CASES.append((f"{off} percent off", f"equity_a_off_{off}", 1_000_000, 180, False))
CASES.append(("nothing off", "equity_a_full", 1_000_000, 180, False))
CASES.append(("a tenth of the fixed fee", "equity_a", 500_000_000, 180, False))
CASES.append(("a fixed fee that is all there is", "fixed_small", 4_000, 180, False))
CASES.append(("a fixed fee that is more than there is", "fixed_above", 4_000, 180, False))
CASES.append(("a fixed fee, a fen is left", "fixed_small", 4_001, 180, False))
for d in (364, 365, 366, 367, 1825):
    CASES.append((f"an entry fee and a service fee, {d} days", "equity_b", 2_500_000, d, False))
for d in (1, 6, 7, 364, 365, 366, 730):
    CASES.append((f"money fund, {d} days", "money", 1_000_000, d, True))
for d in (365, 366):
    CASES.append((f"the same fees, no money fund, {d} days", "money", 1_000_000, d, False))
CASES.append(("half a fen of the service fee is rounded up", "bond_c", 2_993_000, 1, False))
CASES.append(("half a fen of the exit fee is rounded up", "bond_c", 1_000_100, 6, False))
CASES.append(("just below half a fen", "bond_c", 1_000_033, 6, False))
CASES.append(("the largest amount", "bond_a_flat", 1_000_000_000_000_000, 366, False))

PAIRS = [
    ("the same exit fees", "same_exit_a", "same_exit_c", 1_000_000, False),
    ("class A's exit fee ends later", "equity_a", "equity_c", 1_000_000, False),
    ("a fixed fee of a large amount, its exit fee ends", "large_a", "equity_c", 500_000_000, False),
    ("class A cheaper from day 19, dearer from day 30, cheaper for good", "large_a_long", "equity_c", 500_000_000, False),
    ("a fixed fee of a large amount, the same exit fees", "large_a", "large_c", 500_000_000, False),
    ("the full fee: never, the service fee ends first (F03)", "equity_a_full", "equity_c", 1_000_000, False),
    ("as much as a year's service fee: the last day of the year", "fixed_small", "same_exit_c", 1_000_000, False),
    ("a fen more than a year's service fee: never", "fixed_above", "same_exit_c", 1_000_000, False),
    ("a bond fund: never, the service fee ends first (F03)", "bond_a_flat", "bond_c", 1_000_000, False),
    ("were it a money fund, whose service fee goes on", "bond_a_flat", "bond_c", 1_000_000, True),
    ("nothing to pay at entry: from the first day", "same_exit_free", "same_exit_c", 1_000_000, False),
]


def differing(schedule, amount, days, money):
    entry, s, _, e, _ = cost(schedule, amount, days, money)
    return entry + s + e


def break_even(a, c, amount, money):
    """Day by day: after the last day on which A costs more. None: it never ends."""
    last = -1
    for d in range(3_000):
        if differing(a, amount, d, money) > differing(c, amount, d, money):
            last = d
    return None if last == 2_999 else last + 1


def ladder(steps, fixed=False):
    out = []
    for t in steps:
        price = f"{t[2]}f" if fixed and t[2] else str(t[1])
        out.append(f"{t[0] or ''}:{price}")
    return ";".join(out)


def main():
    print("""# What a purchase costs when it is sold again after so many days: amounts in fen, rates in basis points.
# Every figure is worked out above its case in exact fractions, rounded half up once; python3 costs.py > costs.yaml
# writes this file and shares no code with the engine. The entry fee is charged on the net amount (外扣法), the exit,
# service and running fees on that net amount with the price unmoved; a year has 365 days.
schedules:""")
    for name, (entry, off, exits, management, custody, service) in SCHEDULES.items():
        print(f'  {name}: {{entry: "{ladder(entry, True)}", off: {off}, exit: "{ladder(exits)}", '
              f'management: {management}, custody: {custody}, service: {service}}}')
    print("cases:")
    for name, schedule, amount, days, money in CASES:
        entry, s, r, e, lines = cost(schedule, amount, days, money)
        print(f'  - case: "{name}"')
        for line in lines:
            print(f"    # {line}")
        flag = ", money_fund: true" if money else ""
        print(f"    of: {{schedule: {schedule}, amount: {amount}, days: {days}{flag}}}")
        print(f"    costs: {{entry: {entry}, service: {s}, running: {r}, exit: {e}}}")
    print("""# The first day from which class A costs no more than class C for every longer holding: entry, service and exit fee
# together. never: true where there is none; else the sums on the day before and on the day.
break_even:""")
    for name, a, c, amount, money in PAIRS:
        day = break_even(a, c, amount, money)
        print(f'  - case: "{name}"')
        flag = ", money_fund: true" if money else ""
        of = f"    of: {{a: {a}, c: {c}, amount: {amount}{flag}}}"
        days = [("a year on", 366)] if day is None else ([("the day before", day - 1)] if day else []) + [("the day", day)]
        if "dearer from day 30" in name:
            days = [("still dearer", 18), ("cheaper", 19), ("cheaper", 29), ("dearer again", 30)] + days
        for what, d in days:
            for label, schedule in (("A", a), ("C", c)):
                entry, s, _, e, _ = cost(schedule, amount, d, money)
                print(f"    # {what}, {d} days, {label}: {entry:,} + {s:,} + {e:,} = {entry + s + e:,}")
        print(of)
        print("    never: true" if day is None else f"    day: {day}")


main()
