"""The lower level with a pull cap, written a second time, in NumPy.

Here: the objective in the shared part Z and the steps aside G (W = Z + G), its gradient and dense Hessian, and a
plain Newton method on all 2 D m unknowns that rounds the corner less and less. It eliminates nothing, tracks no dual
and knows no certificate: the other road than the one the Rust code takes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import reference
from reference import Problem

SMOOTHING = 1e-3


def objective(problem: Problem, pull_cap: float, z: np.ndarray, g: np.ndarray, smoothing: float = SMOOTHING) -> float:
    weights = z + g
    trace = reference.spectrum(z, problem.epsilon).trace
    ridge = 0.5 * problem.lambda1 * float(np.sum(weights**2))
    aside = pull_cap * float(np.sum(np.sqrt(np.sum(g**2, axis=0) + smoothing**2)))
    return reference.data_value(problem, weights) + ridge + 0.5 * problem.lambda2 * trace**2 + aside


def gradients(
    problem: Problem, pull_cap: float, z: np.ndarray, g: np.ndarray, smoothing: float
) -> tuple[np.ndarray, np.ndarray]:
    """By Z and by G."""
    weights = z + g
    own = reference.data_gradient(problem, weights) + problem.lambda1 * weights
    s = reference.spectrum(z, problem.epsilon)
    coupling = problem.lambda2 * s.trace * (z @ s.inverse)
    roots = np.sqrt(np.sum(g**2, axis=0) + smoothing**2)
    return own + coupling, own + pull_cap * g / roots


def blocks(
    problem: Problem, pull_cap: float, z: np.ndarray, g: np.ndarray, smoothing: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A (data and lambda1), R (coupling of Z) and B (steps aside), each dense, task after task."""
    rows, m = problem.shape
    size = rows * m
    data, coupling, aside = (np.zeros((size, size)) for _ in range(3))
    hessians = reference.data_hessians(problem, z + g)
    s = reference.spectrum(z, problem.epsilon)
    for task in range(m):
        where = slice(task * rows, (task + 1) * rows)
        data[where, where] = hessians[task] + problem.lambda1 * np.eye(rows)
        step = g[:, task]
        root = np.sqrt(step @ step + smoothing**2)
        aside[where, where] = pull_cap / root * (np.eye(rows) - np.outer(step, step) / root**2)
        for row in range(rows):
            direction = np.zeros((rows, m))
            direction[row, task] = 1.0
            image = problem.lambda2 * reference.coupling_derivative(z, direction, s)
            coupling[:, task * rows + row] = reference.flatten(image)
    return data, 0.5 * (coupling + coupling.T), aside


def solve(problem: Problem, pull_cap: float, tolerance: float = 1e-12) -> tuple[np.ndarray, np.ndarray, float]:
    """Z, G and the norm of the gradient by both."""
    z = reference.solve_newton(problem)
    g = np.zeros(problem.shape)
    floor = max(problem.epsilon, 1e-2 * float(np.linalg.norm(z, 2)) ** 2)
    smoothing = 1.0
    while True:
        last = smoothing == SMOOTHING and floor == problem.epsilon
        stage = replace(problem, epsilon=floor)
        z, g, size = newton(stage, pull_cap, z, g, smoothing, tolerance if last else 1e-6)
        if last:
            return z, g, size
        smoothing, floor = max(SMOOTHING, 0.3 * smoothing), max(problem.epsilon, 0.3 * floor)


def newton(
    problem: Problem, pull_cap: float, z: np.ndarray, g: np.ndarray, smoothing: float, tolerance: float
) -> tuple[np.ndarray, np.ndarray, float]:
    size = np.inf
    for _ in range(400):
        by_z, by_g = gradients(problem, pull_cap, z, g, smoothing)
        slope = np.concatenate([reference.flatten(by_z), reference.flatten(by_g)])
        size = float(np.linalg.norm(slope))
        if size <= tolerance:
            break
        a, r, b = blocks(problem, pull_cap, z, g, smoothing)
        step = np.linalg.solve(np.block([[a + r, a], [a, a + b]]), -slope)
        dz, dg = (reference.unflatten(part, problem.shape) for part in np.split(step, 2))
        value, decrease = objective(problem, pull_cap, z, g, smoothing), float(slope @ step)
        length = 1.0
        while length > 1e-12:
            trial = z + length * dz, g + length * dg
            falls = objective(problem, pull_cap, *trial, smoothing) <= value + 1e-4 * length * decrease
            closer = size < 1e-5 and (
                np.linalg.norm(np.concatenate([part.ravel() for part in gradients(problem, pull_cap, *trial, smoothing)]))
                < 0.9 * size
            )
            if falls or closer:
                break
            length *= 0.5
        else:
            break
        z, g = trial
    return z, g, size


def single_task(problem: Problem) -> np.ndarray:
    return reference.solve_newton(replace(problem, lambda2=0.0))
