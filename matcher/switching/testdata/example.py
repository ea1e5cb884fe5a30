#!/usr/bin/env python3
"""Writes the tables of the example in docs/switching.md, in exact fractions.

It shares no code with the engine: python3 example.py
Amounts are fen, rates basis points, days calendar days.
"""
from datetime import date, timedelta
from fractions import Fraction as F

ON = date(2026, 11, 23)
NAV = F("1.2345")
LOTS = [(date(2025, 12, 1), F("10000.00")), (date(2026, 6, 10), F("20000.00")), (date(2026, 11, 3), F("5000.55"))]
LADDER = [(7, 150), (30, 100), (180, 50), (None, 0)]
C_LADDER = [(7, 150), (None, 0)]
OLD, NEW, SERVICE = 120 + 20, 15 + 5, 20
ENTRY, KEPT = 30, 10  # basis points, percent kept after the discount


def up(x):
    return (2 * x.numerator + x.denominator) // (2 * x.denominator)


def of(bps, fen):
    return up(F(fen * bps, 10_000))


def accrue(fen, bps, days):
    return up(F(fen * bps * days, 3_650_000))


def rate(ladder, days):
    return next(r for below, r in ladder if below is None or days < below)


def yuan(fen):
    return f"{fen // 100:,}.{fen % 100:02d}"


def row(key, how, fen):
    print(f"| {key} | {how} | {fen} |")


rows = []
for n, (day, shares) in enumerate(LOTS, 1):
    days = (ON - day).days
    value = up(shares * NAV * 100)
    r = rate(LADDER, days)
    fee = of(r, value)
    rows.append([days, value, r, fee])
    row(f"lot {n} value", f"{float(shares):,.2f} shares × 1.2345 = {float(shares * NAV):,.6f} yuan", value)
    row(f"lot {n} fee", f"held {days} days: {r / 100:g} % of {yuan(value)} = {float(F(value * r, 10_000)) / 100:.6f} yuan", fee)
    nxt = next(((b, rate(LADDER, b)) for b, _ in LADDER if b and b > days and rate(LADDER, b) < r), None)
    if nxt:
        print(f"(lot {n}: next step on {day + timedelta(nxt[0])}, {nxt[1]} bps, {of(nxt[1], value)} fen)")
value, fee = sum(x[1] for x in rows), sum(x[3] for x in rows)
proceeds = value - fee
row("value", " + ".join(yuan(x[1]) for x in rows), value)
row("exit", " + ".join(yuan(x[3]) for x in rows), fee)
row("proceeds", f"{yuan(value)} − {yuan(fee)}", proceeds)
net = up(F(proceeds * 1_000_000, 1_000_000 + ENTRY * KEPT))
entry = proceeds - net
row("entry", f"{yuan(proceeds)} − {yuan(proceeds)} ÷ 1.0003 = {yuan(proceeds)} − {yuan(net)}", entry)
row("moved", f"{yuan(proceeds)} − {yuan(entry)}", net)
rest, moved = net, []
for n, x in enumerate(rows, 1):
    m = min(rest, x[1])
    rest -= m
    moved.append(m)
    row(f"lot {n} moved", "all" if m == x[1] else f"{yuan(net)} − {' − '.join(yuan(q) for q in moved[:-1])}", m)


def old_exit(d):
    return sum(of(rate(LADDER, x[0] + d), m) for x, m in zip(rows, moved))


def new_exit(d):
    return of(rate(LADDER, d), net)


def saved(d):
    return accrue(net, OLD, d) - accrue(net, NEW, d)


for h in (153, 731):
    print(h)
    row("new exit", f"{rate(LADDER, h) / 100:g} % of {yuan(net)}", new_exit(h))
    row("old exit", " + ".join(f"{rate(LADDER, x[0] + h) / 100:g} % of {yuan(m)} after {x[0] + h} days" for x, m in zip(rows, moved)), old_exit(h))
    lost = max(0, new_exit(h) - old_exit(h))
    row("lost", f"{yuan(new_exit(h))} − {yuan(old_exit(h))}", lost)
    row("cost", f"{yuan(fee)} + {yuan(entry)} + {yuan(lost)}", fee + entry + lost)
    row("old running", f"{yuan(net)} × 1.40 % × {h} ÷ 365", accrue(net, OLD, h))
    row("new running", f"{yuan(net)} × 0.20 % × {h} ÷ 365", accrue(net, NEW, h))
    row("saved", f"{yuan(accrue(net, OLD, h))} − {yuan(accrue(net, NEW, h))}", saved(h))
    a_exit, c_exit = of(rate(LADDER, h), net), of(rate(C_LADDER, h), proceeds)
    row("class A", f"entry {yuan(entry)} + service 0 + exit {yuan(a_exit)}", entry + a_exit)
    c_serv = accrue(proceeds, SERVICE, min(h, 365))
    row("class C", f"entry 0 + service {yuan(proceeds)} × 0.20 % × {min(h, 365)} ÷ 365 + exit {yuan(c_exit)}", c_serv + c_exit)
day = next((d for d in range(1, 20_000) if saved(d) > fee + entry + max(0, new_exit(d) - old_exit(d))), -1)
print("break even", day, saved(day - 1), saved(day), fee + entry, new_exit(day), old_exit(day))
