"""What readers were told, what the log says they had to be told, and the difference.

The difference is four numbers: events lost, doubled, disordered, and leaked. Leaked is whatever somebody was told that
the log does not have, has otherwise, or has for others only.
"""

import json
import sqlite3
import threading
from dataclasses import dataclass, field
from typing import NamedTuple, Optional

MODELS = ("thing", "message")


def sequence(position):
    """The number in a position's text: twelve digits of the log's id, a hyphen, sixteen of the number.

    What may follow, behind a tilde, is for the server: it says which part of a folded stretch has been told.
    """
    log, number = position.split("~")[0].split("-")
    if len(log) != 12 or len(number) != 16:
        raise ValueError(f"no position: {position}")
    return int(number, 16)


class Told(NamedTuple):
    """An event as somebody was told it."""

    sequence: int
    model: str
    key: object
    op: str
    row: Optional[dict]
    changed: frozenset
    folded: int = 1

    @staticmethod
    def read(name, arguments):
        """From the event of a socket; None where it is none of a model's."""
        model, _, verb = name.partition(":")
        if verb not in ("save", "remove"):
            return None
        row, facts, position = arguments
        return Told(
            sequence(position), model, row["_id"], facts["op"], row if verb == "save" else None,
            frozenset(facts.get("changed", ())), facts.get("folded", 1))

    def __str__(self):
        """Short: rows can be large."""
        row = {name: f"{value[:40]}..." if isinstance(value, str) and len(value) > 40 else value
               for name, value in (self.row or {"_id": self.key}).items()}
        folded = f", standing for {self.folded}" if self.folded > 1 else ""
        return f"{self.sequence} {self.op} {row}{folded}"

    def tells(self, event):
        """Whether this is what had to be told of an event, which it may stand for together with older ones."""
        same = (self.sequence, self.model, self.key, self.row) == (event.sequence, event.model, event.key, event.row)
        if self.folded == 1:
            return same and (self.op, self.changed) == (event.op, event.changed)
        return same and (self.op in (event.op, "created")) and (self.op == "created" or self.changed >= event.changed)


class Ledger:
    """All that one reader was told, in the order in which it was told it, over all of its connections."""

    def __init__(self, name, role):
        self.name = name
        self.role = role
        self.events = []
        self.gaps = []
        # Where the telling began; None until a first identity said so.
        self.start = None
        # The position of which the reader would ask for what came after.
        self.position = None
        self.connections = 0
        # What should not have happened, in sentences.
        self.complaints = []
        # Events of which the reader itself said that it had them already.
        self.doubled = 0
        self.changed = threading.Condition()

    def identity(self, position, role):
        with self.changed:
            self.connections += 1
            if role != self.role:
                self.complaints.append(f"it was taken for {role}")
            if self.start is None:
                self.start = sequence(position)
            self.position = position
            self.changed.notify_all()

    def told(self, name, arguments):
        """Enters what a socket was told; what is no event of the log's counts where it ends with a position."""
        with self.changed:
            if name == "gap":
                self.gaps.append(arguments[0])
            elif event := Told.read(name, arguments):
                self.events.append(event)
            if arguments and isinstance(arguments[-1], str):
                self.position = arguments[-1]
            self.changed.notify_all()

    def wait(self, holds, seconds):
        """Waits until something holds of this ledger; whether it came to that."""
        with self.changed:
            return self.changed.wait_for(lambda: holds(self), seconds)

    @property
    def last(self):
        return self.events[-1].sequence if self.events else -1


class Log:
    """The truth: `rolecall_events`, and what of it each role may see."""

    def __init__(self, database):
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        self.entries = connection.execute(
            'select seq, model, op, "key", "before", "after" from rolecall_events order by seq').fetchall()
        connection.close()
        self.told = {role: self.filtered(role) for role in ("admin", "user")}

    @staticmethod
    def visible(model, row, role):
        """The demo's rules: admins see every thing, users those that are not for admins; messages are everybody's."""
        return row is not None and (role == "admin" or model != "thing" or not row["admin_only"])

    def filtered(self, role):
        told = {}
        for number, model, _, key, before, after in self.entries:
            if model not in MODELS:
                continue
            key, before, after = (None if text is None else json.loads(text) for text in (key, before, after))
            was, is_ = self.visible(model, before, role), self.visible(model, after, role)
            if is_ and not was:
                told[number] = Told(number, model, key, "created", after, frozenset())
            elif is_:
                changed = frozenset(name for name in after if after[name] != before.get(name))
                told[number] = Told(number, model, key, "updated", after, changed)
            elif was:
                told[number] = Told(number, model, key, "hidden" if after else "removed", None, frozenset())
        return told

    def counts(self):
        """How often each mark that a writer put into a row's `info` came to be there."""
        counts = {}
        for _, model, _, _, before, after in self.entries:
            if model != "thing" or after is None:
                continue
            mark = json.loads(after)["info"]
            if mark and (before is None or json.loads(before)["info"] != mark):
                counts[mark] = counts.get(mark, 0) + 1
        return counts


@dataclass
class Verdict:
    lost: int = 0
    doubled: int = 0
    disordered: int = 0
    leaked: int = 0
    events: int = 0
    # Events that others stood for, and said so.
    folded: int = 0
    details: list = field(default_factory=list)

    @property
    def numbers(self):
        return (self.lost, self.doubled, self.disordered, self.leaked)

    def add(self, other):
        for name in ("lost", "doubled", "disordered", "leaked", "events", "folded"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.details += other.details


def judge(ledger, log, end):
    """Compares a ledger with the log, from where the telling began up to the entry `end`."""
    verdict = Verdict(events=len(ledger.events), doubled=ledger.doubled)
    truth = log.told[ledger.role]

    def found(what, sentence):
        setattr(verdict, what, getattr(verdict, what) + 1)
        verdict.details.append(f"{ledger.name}: {what}: {sentence}")

    told = set()
    last = ledger.start
    for event in ledger.events:
        if event.sequence in told:
            found("doubled", event)
        elif event.sequence <= last:
            found("disordered", f"{event} after {last}")
        if event.sequence not in truth:
            found("leaked", event)
        elif not event.tells(truth[event.sequence]):
            found("leaked", f"{event} in place of {truth[event.sequence]}")
        told.add(event.sequence)
        last = max(last, event.sequence)

    # The events that nobody was told, by the row that they were about, since the last one that was told of it.
    waiting = {}
    folded = {event.sequence: event.folded for event in ledger.events}
    for number, event in truth.items():
        if not ledger.start < number <= end:
            continue
        row = (event.model, json.dumps(event.key))
        if number not in told:
            waiting.setdefault(row, []).append(event)
            continue
        overtaken = waiting.pop(row, [])
        announced = folded[number] - 1
        verdict.folded += announced
        for missing in overtaken[:max(0, len(overtaken) - announced)]:
            found("lost", missing)
        if announced > len(overtaken):
            found("leaked", f"{event} says that it stands for {announced} others, and there were {len(overtaken)}")
    for missing in sum(waiting.values(), []):
        found("lost", missing)
    return verdict


def is_awake(ledgers, log, end):
    """Whether the judge sees what is wrong: real ledgers are spoilt in each of the four ways.

    Gives sentences about what it missed; none where all is well.
    """
    complaints = []

    def expect(what, spoilt, original, numbers):
        forged = Ledger(original.name, original.role)
        forged.start, forged.events, forged.doubled = original.start, spoilt, original.doubled
        before, after = judge(original, log, end).numbers, judge(forged, log, end).numbers
        seen = tuple(new - old for new, old in zip(after, before))
        if seen != numbers:
            complaints.append(f"of an event that is {what} the judge says {seen}, not {numbers}")

    for ledger in ledgers:
        # Two neighbours that nobody folded and that are about different rows.
        events = [event for event in ledger.events if ledger.start < event.sequence <= end]
        places = [
            place for place in range(len(events) - 1)
            if events[place].folded == events[place + 1].folded == 1 and events[place].key != events[place + 1].key]
        if not places:
            complaints.append(f"{ledger.name} was told too little to try the judge on it")
            continue
        at = places[len(places) // 2]
        if any(event.folded > 1 and event.key == events[at].key for event in events):
            continue
        expect("lost", events[:at] + events[at + 1:], ledger, (1, 0, 0, 0))
        expect("doubled", events[:at + 1] + events[at:], ledger, (0, 1, 0, 0))
        expect("disordered", events[:at] + [events[at + 1], events[at]] + events[at + 2:], ledger, (0, 0, 1, 0))
        secrets = [event for number, event in log.told["admin"].items()
                   if number not in log.told["user"] and events[at].sequence < number < events[-1].sequence]
        if ledger.role == "user" and secrets:
            secret = secrets[0]
            place = next(index for index, event in enumerate(events) if event.sequence > secret.sequence)
            expect("leaked", events[:place] + [secret] + events[place:], ledger, (0, 0, 0, 1))
    return complaints
