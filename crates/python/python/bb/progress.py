"""Finding out how far a task is, from what it prints or by stages, and firing that as events."""

import inspect
import re
import time

import bb
import bb.event
from bb import build

ANSI_ESCAPE_REGEX = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")

# Seconds between events that bring nothing new but another rate.
_RATE_INTERVAL = 1


def filter_color(string):
    """A text without escape sequences of colours."""
    return ANSI_ESCAPE_REGEX.sub("", string)


def filter_color_n(string):
    """A text without escape sequences of colours, and how many there were."""
    return ANSI_ESCAPE_REGEX.subn("", string)


class ProgressHandler(object):
    """Passes output on to `outfile`, and progress as events; subclasses find it in the output."""

    def __init__(self, d, outfile=None):
        self._progress = 0
        self._data = d
        self._lastevent = 0
        self._outfile = outfile or build.StdoutNoopContextManager()

    def __enter__(self):
        self._outfile.__enter__()
        return self

    def __exit__(self, *excinfo):
        self._outfile.__exit__(*excinfo)

    def _fire_progress(self, taskprogress, rate=None):
        """Fire an event whatever was fired before."""
        bb.event.fire(build.TaskProgress(taskprogress, rate), self._data)

    def write(self, string):
        """Take a piece of output."""
        self._outfile.write(string)

    def flush(self):
        self._outfile.flush()

    def update(self, progress, rate=None):
        """Fire an event if progress (in per cent; negative if unknown) changed."""
        now = time.time()
        if progress > 100:
            progress = 100
        if progress != self._progress or (rate and now - self._lastevent > _RATE_INTERVAL):
            self._fire_progress(progress, rate)
            self._lastevent = now
            self._progress = progress


class LineFilterProgressHandler(ProgressHandler):
    """Gives every line to `writeline`, which says whether the line is passed on."""

    def __init__(self, d, outfile=None):
        self._linebuffer = ""
        super().__init__(d, outfile)

    def write(self, string):
        self._linebuffer += string
        while True:
            line, end, rest = self._linebuffer.partition("\n")
            if not end:
                return
            self._linebuffer = rest
            # Of what was overwritten on the terminal only the last counts.
            line = line.rpartition("\r")[2] + end
            if self.writeline(filter_color(line)):
                super().write(line)

    def writeline(self, line):
        """Take a line; whether it is passed on."""
        raise NotImplementedError()


class BasicProgressHandler(ProgressHandler):
    """Takes progress from a number in per cent, the group of `regex`."""

    def __init__(self, d, regex=r"(\d+)%", outfile=None):
        super().__init__(d, outfile)
        self._regex = re.compile(regex)
        self._fire_progress(0)

    def write(self, string):
        percents = self._regex.findall(filter_color(string))
        if percents:
            self.update(int(percents[-1]))
        super().write(string)


class OutOfProgressHandler(ProgressHandler):
    """Takes progress from two numbers, "so many out of so many", the groups of `regex`."""

    def __init__(self, d, regex, outfile=None):
        super().__init__(d, outfile)
        self._regex = re.compile(regex)
        self._fire_progress(0)

    def write(self, string):
        numbers = self._regex.findall(filter_color(string))
        if numbers:
            self.update(float(numbers[-1][0]) / float(numbers[-1][1]) * 100)
        super().write(string)


class MultiStageProgressReporter(object):
    """Progress of a task that goes through stages of different weight.

    With `debug` the weights that the stages' real times would give are logged at the end.
    """

    def __init__(self, d, stage_weights, debug=False):
        self._data = d
        total = sum(stage_weights)
        self._stage_weights = [weight / total for weight in stage_weights] or [1]
        self._stage = -1
        self._base_progress = 0
        # Progress in the present stage: of this total, or in per cent.
        self._stage_total = None
        self._debug = debug
        self._finished = False
        self._callers = []
        self._times = [time.time()]

    def __enter__(self):
        return self

    def __exit__(self, *excinfo):
        self.finish()

    def _fire_progress(self, taskprogress):
        bb.event.fire(build.TaskProgress(taskprogress), self._data)

    def next_stage(self, stage_total=None):
        """Begin the next stage; `stage_total` is what its progress counts up to."""
        self._stage += 1
        self._stage_total = stage_total
        if self._stage == 0:
            if self._debug:
                self._times = [time.time()]
        elif self._stage < len(self._stage_weights):
            self._base_progress = sum(self._stage_weights[:self._stage]) * 100
            self._note()
        else:
            bb.warn("ProgressReporter: current stage beyond declared number of stages")
            self._base_progress = 100
        self._fire_progress(self._base_progress)

    def _note(self):
        if self._debug:
            frame = inspect.stack(0)[2]
            self._callers.append("Up to %s:%s" % (frame.filename, frame.lineno))
            self._times.append(time.time())

    def update(self, stage_progress):
        """Say how far the present stage is."""
        if 0 <= self._stage < len(self._stage_weights):
            share = stage_progress / self._stage_total if self._stage_total else stage_progress / 100
            self._fire_progress(self._base_progress + self._stage_weights[self._stage] * share * 100)
        elif self._stage >= len(self._stage_weights):
            self._fire_progress(self._base_progress)

    def finish(self):
        """End the last stage."""
        if self._finished:
            return
        self._finished = True
        if self._debug:
            self._callers.append("Up to finish")
            self._times.append(time.time())
            spans = [later - earlier for earlier, later in zip(self._times, self._times[1:])]
            least = max(min(spans), 1e-6)
            weights = [max(1, round(span / least)) for span in spans]
            bb.warn("Stage weights: %s" % weights)
            bb.warn("Stage times:\n  " + "\n  ".join("%s: %s" % pair for pair in zip(self._callers, weights)))


class MultiStageProcessProgressReporter(MultiStageProgressReporter):
    """Progress by stages of something outside tasks, with a progress bar of its own."""

    def __init__(self, d, processname, stage_weights, debug=False):
        self._processname = processname
        self._started = False
        super().__init__(d, stage_weights, debug)

    def start(self):
        """Show the progress bar."""
        if not self._started:
            bb.event.fire(bb.event.ProcessStarted(self._processname, 100), self._data)
            self._started = True

    def _fire_progress(self, taskprogress):
        if taskprogress == 0:
            self.start()
            return
        bb.event.fire(bb.event.ProcessProgress(self._processname, taskprogress), self._data)

    def finish(self):
        super().finish()
        bb.event.fire(bb.event.ProcessFinished(self._processname), self._data)


class DummyMultiStageProcessProgressReporter(MultiStageProgressReporter):
    """Reports nothing; for when nobody watches."""

    def __init__(self):
        super().__init__(None, [1])

    def _fire_progress(self, taskprogress, rate=None):
        pass

    def start(self):
        pass

    def next_stage(self, stage_total=None):
        pass

    def update(self, stage_progress):
        pass

    def finish(self):
        pass
