import collections

import pytest

from tests.reference import machine as m
from tests.reference import test_stateful as t

C = collections.Counter()
orig = m.SideBySide.agree


def agree(self, p, mo):
    r = [None]

    def pp():
        try:
            x = p()
            r[0] = "ok"
            return x
        except Exception as e:
            r[0] = type(e).__name__
            raise

    import inspect

    name = inspect.stack()[1].function
    try:
        return orig(self, pp, mo)
    finally:
        C[name, r[0]] += 1


m.SideBySide.agree = agree
oa = t.ProductAndModel.act


def act(self, data, pair, step, im, *used):
    def im2(*a):
        out = im(*a)
        for rec, o in out.items():
            for k in o:
                C[step[0], k] += 1
        return out

    return oa(self, data, pair, step, im2, *used)


t.ProductAndModel.act = act
import os

N = int(os.environ.get("N", "40"))
S = int(os.environ.get("S", "25"))
os_settings = t.settings


def st(**k):
    k["max_examples"] = N
    k["stateful_step_count"] = S
    return os_settings(**k)


t.settings = st


@pytest.mark.django_db
def test_it():
    try:
        t.test_the_product_does_what_the_reference_model_does()
    finally:
        for k, v in sorted(C.items()):
            print(k, v)
