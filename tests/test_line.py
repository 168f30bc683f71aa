"""Work in turns: those who had little come first, nobody holds all of something, nobody's work runs on without a listener."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from musicbench import InputError
from mustango.page import line as line_of
from mustango.page.line import Line, Who
from mustango.page.shares import Shares, Tries, address_of
from mustango.page.visitors import Visitors
from mustango.page.work import Progress, watched

HOSTILE, HONEST = Who(address="10.0.0.66", client="a"), Who(address="10.0.0.1", client="b")


class Clock:
    """A clock that the test sets."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(line_of, "TICK_S", 0)


def test_one_alone_gets_half_and_something_is_left_for_the_next():
    shares = Shares(41)
    held = {who: sum(shares.take(who) for _ in range(100)) for who in "abcde"}
    assert held["a"] == 21 and all(held.values()) and shares.free >= 0
    shares.give("a", 5)
    assert shares.take("f") and shares.held("a") == 16
    assert not Shares(1000).take("a", 502) and Shares(1000).take("a", 500)


def test_shares_come_back_by_themselves(clock):
    shares = Shares(100, ends_s=3600)
    assert shares.take("a", 50) and not shares.take("a", 10)
    clock.now += 3600 + 61
    assert shares.free == 100 and shares.take("a", 50)


def test_the_shares_of_one_end_and_those_of_another_stay(clock):
    shares = Shares(100, ends_s=3600)
    shares.take("a", 10)
    clock.now += 1800
    shares.take("b", 10)
    clock.now += 1900
    assert (shares.held("a"), shares.held("b")) == (0, 10)


def test_tries_are_counted_by_the_minute_and_remembered_in_bounds(clock):
    tries = Tries(3)
    assert [tries.allowed("a") for _ in range(5)] == [True] * 3 + [False] * 2 and tries.allowed("b")
    clock.now += 61
    assert tries.allowed("a")
    for number in range(20_000):
        tries.allowed(number)
    assert len(tries._tried) == Tries.REMEMBERED


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1.2.3.4", "1.2.3.4", True),
        ("1.2.3.4", "1.2.3.5", False),
        ("::ffff:1.2.3.4", "1.2.3.4", True),
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("fe80::1%eth0", "fe80::2", True),
    ],
)
def test_a_household_is_one_address(one, other, same):
    assert (address_of(one) == address_of(other)) == same


def play(line, who, seconds, clock, told, listened=lambda: True):
    """A request of turns of so many seconds each."""
    with line.place(who, listened) as place:
        for turn in seconds:
            place.next_s = turn
            while line.before(place):
                yield
            told.append(who)
            for _ in range(turn):
                yield
                clock.now += 1
            line.end_turn(place)


def run_all(requests):
    """Go on with all requests in turn until they are over."""
    while requests:
        for request in list(requests):
            try:
                next(request)
            except StopIteration:
                requests.remove(request)


def test_a_long_request_gives_way_between_its_takes(clock):
    line, told = Line(41), []
    long = play(line, HOSTILE, [200] * 8, clock, told)
    next(long)
    honest = [play(line, Who(address=f"10.0.1.{n}"), [2], clock, told) for n in range(5)]
    for request in honest:
        next(request)
    run_all([long, *honest])
    assert told[0] == HOSTILE and HOSTILE not in told[1:6] and told[6:] == [HOSTILE] * 7


def test_of_one_address_the_short_come_first_and_nobody_waits_for_ever(clock):
    line, told = Line(41), []
    first = play(line, HOSTILE, [100], clock, told)
    next(first)
    minted = [play(line, Who(address=HONEST.address, client=f"new {n}"), [100], clock, told) for n in range(10)]
    for request in minted:
        next(request)
    last = play(line, HONEST, [1], clock, told)
    next(last)
    run_all([first, *minted, last])
    assert told[1] == HONEST and len(told) == 12


def test_waiting_makes_up_for_work(clock):
    line, told = Line(41), []
    list(play(line, HOSTILE, [300], clock, told))
    busy, heavy = play(line, HONEST, [400], clock, told), play(line, HOSTILE, [1], clock, told)
    next(busy)
    next(heavy)
    later = [play(line, Who(address=f"10.0.2.{n}"), [1], clock, told) for n in range(3)]
    for _ in range(390):
        next(busy)
        next(heavy)
    for request in later:
        next(request)
    run_all([*later, busy, heavy])
    assert told[2] == HOSTILE


def test_one_address_does_not_fill_the_line():
    line = Line(41)
    with ExitStack() as held:
        for _ in range(21):
            held.enter_context(line.place(HOSTILE))
        with pytest.raises(InputError, match="this server is full"), line.place(HOSTILE):
            pass
        for number in range(5):
            held.enter_context(line.place(Who(address=f"10.0.1.{number}")))
    with line.place(HOSTILE) as place:
        assert line.before(place) == 0


def test_work_without_a_listener_is_dropped_and_never_begins(clock):
    line, told = Line(41), []
    silent = play(line, HOSTILE, [100], clock, told, listened=lambda: False)
    next(silent)
    honest = play(line, HONEST, [1], clock, told)
    run_all([honest])
    assert told == [HONEST]
    clock.now += line_of.LISTENER_S + 1
    with pytest.raises(InputError, match="nobody listens"):
        next(silent)
    assert line._waiting == [] and line._shares.free == 41


def test_a_listener_has_to_stay(clock):
    line, there = Line(41), [True]
    with line.place(HONEST, lambda: there[0]) as place:
        assert line.before(place) == 0
        there[0] = False
        clock.now += line_of.LISTENER_S + 1
        with pytest.raises(InputError, match="nobody listens"):
            place.check_listener()


def test_who_has_gone_without_a_word_holds_nobody(clock):
    line, told = Line(41), []
    gone = play(line, Who(address="10.0.0.9"), [1], clock, told)
    busy = play(line, HOSTILE, [1], clock, told)
    next(busy)
    next(gone)  # waits, and is never asked again
    clock.now += line_of.AWAKE_S + 1
    run_all([busy, play(line, HONEST, [1], clock, told)])
    assert told == [HOSTILE, HONEST]


def test_a_request_has_so_much_work_and_no_more(clock):
    line = Line(41, most_s=100)
    with pytest.raises(InputError, match="about 200 s of work, above the 100 s"):
        line.check_cost(200)
    with line.place(HONEST) as place, ThreadPoolExecutor(1) as worker:
        line.before(place)
        clock.now += 60
        line.end_turn(place)
        line.before(place)

        def work(emit):
            try:
                for _ in range(10):
                    emit(Progress("step"))
                    clock.now += 30
            except Exception:
                pytest.fail("a fault of the work was seen where its time was over")

        with pytest.raises(InputError, match="longer than the 100 s"):
            list(watched(worker, lambda emit: work(line.in_time(place, emit)), Progress("begin")))


class Queue:
    """What Gradio's queue keeps: sessions, each with its messages and the events that are not told yet; events at work."""

    def __init__(self):
        self.pending_messages_per_session, self.pending_event_ids_session, self.event_ids_to_events = {}, {}, {}

    def put(self, event, session):
        self.pending_messages_per_session[session] = "what happened"
        self.pending_event_ids_session.setdefault(session, set()).add(event)


def test_what_nobody_hears_is_forgotten_whoever_named_it(clock):
    visitors, queue = Visitors(), Queue()
    for session in ("named by Gradio", "heard", "at work"):
        queue.put(f"event {session}", session)
    queue.event_ids_to_events["event at work"] = SimpleNamespace(session_hash="at work")
    visitors.begin_to_listen("heard")
    for _ in range(8):
        visitors.forget_unheard(queue)
        clock.now += line_of.LISTENER_S
    assert [*queue.pending_messages_per_session] == [*queue.pending_event_ids_session] == ["heard", "at work"]
    visitors.end_listening("heard")
    queue.event_ids_to_events.clear()
    for _ in range(8):
        visitors.forget_unheard(queue)
        clock.now += line_of.LISTENER_S
    assert queue.pending_messages_per_session == queue.pending_event_ids_session == {}


def test_an_event_is_its_owner_s_until_it_is_forgotten(clock):
    visitors, queue = Visitors(), Queue()
    for event, session in (("a", "a"), ("b", "a tab")):
        queue.put(event, session)
        visitors.joined(HONEST, event, session)
    visitors.forget_unheard(queue)
    assert [visitors.session_of(HONEST, event) for event in ("a", "b", "c", None, ["a"])] == ["a", "a tab", None, None, None]
    others = (HOSTILE, Who("me", HONEST.address, HONEST.client), Who(address=HONEST.address))
    assert not any(visitors.session_of(other, "a") for other in others)
    queue.pending_event_ids_session["a tab"].discard("b")  # it was told to the end
    visitors.forget_unheard(queue)
    assert visitors.session_of(HONEST, "b") is None and visitors.session_of(HONEST, "a") == "a"
