"""Keys as tones (ITU-T Q.23): made for a phone to say, and found in what a phone heard, by Goertzel's algorithm."""
import array
import math
import wave

ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
PAD = ("123A", "456B", "789C", "*0#D")
RATE = 48000  # of the file
FRAME, STEP = 0.0256, 0.01  # seconds looked at, and how far apart
LEAST = 0.035  # of a press
SAME = 0.15  # seconds in which a key that fell silent and sounds again is still the same press: packets were lost


def tones_of(key):
    row = next(i for i, keys in enumerate(PAD) if key in keys)
    return ROWS[row], COLUMNS[PAD[row].index(key)]


def wav_of(keys, path, on=0.12, off=0.12, silence=60):
    """Two channels, as Baresip reads it; so much silence behind it that it does not end within a test."""
    def seconds(length):
        return int(length * RATE)

    with wave.open(str(path), "wb") as out:
        out.setparams((2, 2, RATE, 0, "NONE", ""))
        pause = bytes(4 * seconds(off))
        for key in keys:
            low, high = (2 * math.pi * hz / RATE for hz in tones_of(key))
            tone = (int(7000 * (math.sin(low * n) + math.sin(high * n))) for n in range(seconds(on)))
            out.writeframes(pause + array.array("h", [s for sample in tone for s in (sample, sample)]).tobytes())
        out.writeframes(bytes(4 * seconds(silence)))
    return path


def strength(samples, hz, rate):
    """The share of a sine of that frequency in the energy, 0 to 1."""
    w = 2 * math.cos(2 * math.pi * hz / rate)
    a = b = 0.0
    for s in samples:
        a, b = s + w * a - b, a
    return 2 * (a * a + b * b - w * a * b) / len(samples)


def key_in(samples, rate):
    energy = sum(s * s for s in samples)
    if energy < 200 * 200 * len(samples):
        return None
    row, column = ([strength(samples, hz, rate) / energy for hz in group] for group in (ROWS, COLUMNS))
    if max(row) + max(column) < 0.6 or min(max(row), max(column)) < 0.15:
        return None
    return PAD[row.index(max(row))][column.index(max(column))]


def keys_in(samples, rate):
    """Each press once, also where a piece of it is missing."""
    frame, presses = int(FRAME * rate), []  # [key, when last heard, how long]
    for number in range(int((len(samples) / rate - FRAME) / STEP)):
        at = number * STEP
        key = key_in(samples[int(at * rate):int(at * rate) + frame], rate)
        if key is None:
            continue
        if not presses or presses[-1][0] != key or at - presses[-1][1] > SAME:
            presses.append([key, at, 0.0])
        presses[-1][1:] = [at, presses[-1][2] + STEP]
    return "".join(key for key, _, length in presses if length >= LEAST)
