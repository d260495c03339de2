//! The few dense kernels that decide the speed. Not here: anything that knows what a task is.
//!
//! Matrices are slices. "Rows" means row-major. Every sum has one fixed order, written out here in
//! lanes that compilers turn into vectors, so that a result has the same bits natively and in
//! WebAssembly. No fused multiply-add. Natively some kernels exist for vectors of 256 bits, too, and
//! the processor decides at run time: they keep each sum in one lane, so no bit depends on that.
#![expect(
    clippy::inline_always,
    reason = "what is inlined is compiled for the vectors of the kernel that it is part of"
)]

const LANES: usize = 4;

/// a'b.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (a_chunks, a_rest) = a.as_chunks::<LANES>();
    let (b_chunks, b_rest) = b.as_chunks::<LANES>();
    for (x, y) in a_chunks.iter().zip(b_chunks) {
        for lane in 0..LANES {
            sums[lane] += x[lane] * y[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    (sums[0] + sums[2]) + (sums[1] + sums[3]) + rest
}

/// The numbers of the keys, ascending by key; of equal ones the smaller number first.
pub fn ascending(keys: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by(|&a, &b| keys[a].total_cmp(&keys[b]));
    order
}

/// |a|^2.
pub fn norm_squared(a: &[f64]) -> f64 {
    dot(a, a)
}

/// y += c x.
pub fn add_scaled(y: &mut [f64], c: f64, x: &[f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += c * x;
    }
}

/// y += c x; returns |y|^2 of the result.
pub fn add_scaled_norm(y: &mut [f64], c: f64, x: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (y_chunks, y_rest) = y.as_chunks_mut::<LANES>();
    let (x_chunks, x_rest) = x.as_chunks::<LANES>();
    for (y, x) in y_chunks.iter_mut().zip(x_chunks) {
        for lane in 0..LANES {
            y[lane] += c * x[lane];
            sums[lane] += y[lane] * y[lane];
        }
    }
    let mut rest = 0.0;
    for (y, x) in y_rest.iter_mut().zip(x_rest) {
        *y += c * x;
        rest += *y * *y;
    }
    (sums[0] + sums[2]) + (sums[1] + sums[3]) + rest
}

/// Rows whose products are summed before they are added to a Gram matrix: they stay in the cache.
const RUN: usize = 32;

/// Adds `weight` Σ x x' over rows x of length `size` to the lower triangle of `gram`
/// (size x size, rows). Up to seven entries to the right of the diagonal may change too.
///
/// Each entry is summed over 32 rows at a time, in their order. Tiles of entries stay in registers
/// meanwhile. No sum goes across a tile, so neither its shape nor the width of the vectors has a
/// part in the result: natively they are those that the processor at hand is best at.
#[cfg_attr(
    not(target_arch = "wasm32"),
    multiversion::multiversion(targets("x86_64+avx+avx2"))
)]
pub fn add_gram(gram: &mut [f64], size: usize, weight: f64, rows: &[&[f64]]) {
    #[cfg(not(target_arch = "wasm32"))]
    if multiversion::target::target_cfg_f!(target_feature = "avx2") {
        return add_gram_in_tiles::<true>(gram, size, weight, rows);
    }
    add_gram_in_tiles::<false>(gram, size, weight, rows);
}

/// The same in tiles that fill the registers: `WIDE` those of 256 bits, else those of 128.
#[inline(always)]
fn add_gram_in_tiles<const WIDE: bool>(
    gram: &mut [f64],
    size: usize,
    weight: f64,
    rows: &[&[f64]],
) {
    for run in rows.chunks(RUN) {
        if run.len() < 4 {
            for row in run {
                for a in 0..size {
                    let target = &mut gram[a * size..=a * size + a];
                    add_scaled(target, weight * row[a], &row[..=a]);
                }
            }
            continue;
        }
        let mut done = 0;
        if WIDE {
            done = add_columns::<4, 8>(gram, size, weight, run, done);
        }
        done = add_columns::<4, 4>(gram, size, weight, run, done);
        for a in done..size {
            for b in done..=a {
                let sum = run.iter().fold(0.0, |sum, row| sum + row[a] * row[b]);
                gram[a * size + b] += weight * sum;
            }
        }
    }
}

/// The same for one run and the columns from `start` on, in tiles of `HEIGHT` x `WIDTH`, and the
/// first column that is left.
#[inline(always)]
fn add_columns<const HEIGHT: usize, const WIDTH: usize>(
    gram: &mut [f64],
    size: usize,
    weight: f64,
    run: &[&[f64]],
    start: usize,
) -> usize {
    let end = start + (size - start) / WIDTH * WIDTH;
    for b in (start..end).step_by(WIDTH) {
        let mut a = b;
        while a + HEIGHT <= size {
            let mut sums = [[0.0; WIDTH]; HEIGHT];
            for row in run {
                let (Some(x), Some(y)) = (
                    row[a..].first_chunk::<HEIGHT>(),
                    row[b..].first_chunk::<WIDTH>(),
                ) else {
                    break;
                };
                for i in 0..HEIGHT {
                    for j in 0..WIDTH {
                        sums[i][j] += x[i] * y[j];
                    }
                }
            }
            for (i, sums) in sums.iter().enumerate() {
                let at = (a + i) * size + b;
                add_scaled(&mut gram[at..at + WIDTH], weight, sums);
            }
            a += HEIGHT;
        }
        for a in a..size {
            let mut sums = [0.0; WIDTH];
            for row in run {
                let Some(y) = row[b..].first_chunk::<WIDTH>() else {
                    break;
                };
                add_scaled(&mut sums, row[a], y);
            }
            let at = a * size + b;
            add_scaled(&mut gram[at..at + WIDTH], weight, &sums);
        }
    }
    end
}

/// Copies the lower triangle of a size x size matrix to the upper one.
pub fn mirror(matrix: &mut [f64], size: usize) {
    for a in 0..size {
        for b in 0..a {
            matrix[b * size + a] = matrix[a * size + b];
        }
    }
}

/// y_n = row_n'x for the rows of `a`, as many as y has entries, with the bits of [`dot`]. Four rows
/// share the loads of x.
#[cfg_attr(
    not(target_arch = "wasm32"),
    multiversion::multiversion(targets("x86_64+avx+avx2"))
)]
pub fn multiply(y: &mut [f64], a: &[f64], x: &[f64]) {
    let size = x.len();
    let (x_chunks, x_rest) = x.as_chunks::<LANES>();
    let mut outputs = y.chunks_exact_mut(4);
    let mut blocks = a.chunks_exact((4 * size).max(1));
    for (y, block) in (&mut outputs).zip(&mut blocks) {
        let (first, second) = block.split_at(2 * size);
        let ((r0, r1), (r2, r3)) = (first.split_at(size), second.split_at(size));
        let rows = [r0, r1, r2, r3].map(<[f64]>::as_chunks::<LANES>);
        let [(r0, _), (r1, _), (r2, _), (r3, _)] = rows;
        let mut sums = [[0.0; LANES]; 4];
        for (x, ((r0, r1), (r2, r3))) in x_chunks
            .iter()
            .zip(r0.iter().zip(r1).zip(r2.iter().zip(r3)))
        {
            for lane in 0..LANES {
                sums[0][lane] += r0[lane] * x[lane];
                sums[1][lane] += r1[lane] * x[lane];
                sums[2][lane] += r2[lane] * x[lane];
                sums[3][lane] += r3[lane] * x[lane];
            }
        }
        for ((y, sums), (_, row_rest)) in y.iter_mut().zip(&sums).zip(rows) {
            let rest: f64 = row_rest.iter().zip(x_rest).map(|(r, x)| r * x).sum();
            *y = (sums[0] + sums[2]) + (sums[1] + sums[3]) + rest;
        }
    }
    let rest = blocks.remainder().chunks_exact(size.max(1));
    for (y, row) in outputs.into_remainder().iter_mut().zip(rest) {
        *y = dot(row, x);
    }
}

/// Targets of more entries do not stay in registers: their rows are read one after the other, which
/// is what memory is best at.
const LONG: usize = 96;

/// target += Σ_n c_n row_n.
///
/// Tiles of entries stay in registers meanwhile. No sum goes across entries, so neither the width of
/// the tiles nor that of the vectors has a part in the result.
#[cfg_attr(
    not(target_arch = "wasm32"),
    multiversion::multiversion(targets("x86_64+avx+avx2"))
)]
pub fn add_combination(target: &mut [f64], rows: &[f64], coefficients: &[f64]) {
    combine(target, rows, coefficients);
}

/// The same for vectors of any width.
#[inline(always)]
fn combine(target: &mut [f64], rows: &[f64], coefficients: &[f64]) {
    let size = target.len();
    // In wasm, with fewer registers, tiles gain nothing.
    if size > LONG || cfg!(target_arch = "wasm32") {
        return combine_long(target, rows, coefficients);
    }
    // What is left over by tiles of eight is done in a tile that ends where the target does. The
    // entries that it shares with the one before it are computed twice.
    match size % 8 {
        0 => combine_in_tiles::<0>(target, rows, coefficients),
        5.. if size > 8 => combine_in_tiles::<8>(target, rows, coefficients),
        _ if size >= 4 => combine_in_tiles::<4>(target, rows, coefficients),
        _ => {
            for start in 0..size {
                [target[start]] = combined(target, rows, coefficients, start);
            }
        }
    }
}

/// Four rows share the loads of the target.
#[inline(always)]
fn combine_long(target: &mut [f64], rows: &[f64], coefficients: &[f64]) {
    let size = target.len();
    let mut blocks = rows.chunks_exact((4 * size).max(1));
    let (fours, rest) = coefficients.as_chunks::<4>();
    for (block, c) in (&mut blocks).zip(fours) {
        let (first, second) = block.split_at(2 * size);
        let ((r0, r1), (r2, r3)) = (first.split_at(size), second.split_at(size));
        for ((((t, r0), r1), r2), r3) in target.iter_mut().zip(r0).zip(r1).zip(r2).zip(r3) {
            *t += (c[0] * r0 + c[1] * r1) + (c[2] * r2 + c[3] * r3);
        }
    }
    let last = blocks.remainder().chunks_exact(size.max(1));
    for (row, c) in last.zip(rest) {
        add_scaled(target, *c, row);
    }
}

/// `LAST`: the width of the tile at the end.
#[inline(always)]
fn combine_in_tiles<const LAST: usize>(target: &mut [f64], rows: &[f64], coefficients: &[f64]) {
    let size = target.len();
    // First, from what the target holds before.
    let last: [f64; LAST] = combined(target, rows, coefficients, size - LAST);
    let mut start = 0;
    while start + 16 <= size {
        let sums: [f64; 16] = combined(target, rows, coefficients, start);
        target[start..start + 16].copy_from_slice(&sums);
        start += 16;
    }
    if start + 8 <= size {
        let sums: [f64; 8] = combined(target, rows, coefficients, start);
        target[start..start + 8].copy_from_slice(&sums);
        start += 8;
    }
    if size - start > LAST {
        let sums: [f64; 4] = combined(target, rows, coefficients, start);
        target[start..start + 4].copy_from_slice(&sums);
    }
    target[size - LAST..].copy_from_slice(&last);
}

/// `WIDTH` entries of the target from `start` on, four rows at a time.
#[inline(always)]
fn combined<const WIDTH: usize>(
    target: &[f64],
    rows: &[f64],
    coefficients: &[f64],
    start: usize,
) -> [f64; WIDTH] {
    let size = target.len();
    let mut sums = [0.0; WIDTH];
    sums.copy_from_slice(&target[start..start + WIDTH]);
    let (fours, rest) = coefficients.as_chunks::<4>();
    let mut blocks = rows.chunks_exact((4 * size).max(1));
    for (block, c) in (&mut blocks).zip(fours) {
        let row = |n: usize| block[n * size + start..].first_chunk::<WIDTH>();
        let (Some(r0), Some(r1), Some(r2), Some(r3)) = (row(0), row(1), row(2), row(3)) else {
            break;
        };
        for k in 0..WIDTH {
            sums[k] += (c[0] * r0[k] + c[1] * r1[k]) + (c[2] * r2[k] + c[3] * r3[k]);
        }
    }
    let last = blocks.remainder().chunks_exact(size.max(1));
    for (row, c) in last.zip(rest) {
        let Some(row) = row[start..].first_chunk::<WIDTH>() else {
            break;
        };
        for k in 0..WIDTH {
            sums[k] += c * row[k];
        }
    }
    sums
}

/// target += Σ_n c_n row_n for four rows, one after the other: the bits of four times
/// [`add_scaled`].
pub fn add_four(target: &mut [f64], rows: &[f64], c: [f64; 4]) {
    let (first, second) = rows.split_at(2 * target.len());
    let ((r0, r1), (r2, r3)) = (first.split_at(target.len()), second.split_at(target.len()));
    for ((((t, r0), r1), r2), r3) in target.iter_mut().zip(r0).zip(r1).zip(r2).zip(r3) {
        *t = (((*t + c[0] * r0) + c[1] * r1) + c[2] * r2) + c[3] * r3;
    }
}

/// y = A x for a symmetric A (rows), as a combination of its rows: no sum goes across the lanes of
/// a vector.
pub fn multiply_symmetric(y: &mut [f64], a: &[f64], x: &[f64]) {
    y.fill(0.0);
    add_combination(y, a, x);
}

/// Gram-Schmidt, twice, of the rows (of `size` entries) from `start` on; those before are
/// orthonormal. A row that is a combination of the others becomes zero.
pub fn orthonormalise(rows: &mut [f64], start: usize, size: usize) {
    let mut c = vec![0.0; rows.len() / size];
    for k in start / size..rows.len() / size {
        let (done, rest) = rows.split_at_mut(k * size);
        let row = &mut rest[..size];
        let before = norm_squared(row);
        for _ in 0..2 {
            multiply(&mut c[..k], done, row);
            c[..k].iter_mut().for_each(|c| *c = -*c);
            add_combination(row, done, &c[..k]);
        }
        let after = norm_squared(row);
        let factor = if after > 1e-20 * before {
            1.0 / after.sqrt()
        } else {
            0.0
        };
        row.iter_mut().for_each(|entry| *entry *= factor);
    }
}

/// Cholesky factor L of a symmetric matrix, in place in the lower triangle (rows). The diagonal
/// holds 1 / L_ii. False where the matrix is not positive definite (the content is then useless).
#[must_use]
pub fn cholesky(a: &mut [f64], size: usize) -> bool {
    for i in 0..size {
        let (above, current) = a.split_at_mut(i * size);
        let row = &mut current[..=i];
        // Four columns at a time share the loads of this row.
        let mut j = 0;
        while j + 4 <= i {
            let mut sums = dot4(row, above, size, j);
            for k in j..j + 4 {
                let pivot_row = &above[k * size..=k * size + k];
                for l in j..k {
                    sums[k - j] += row[l] * pivot_row[l];
                }
                row[k] = (row[k] - sums[k - j]) * pivot_row[k];
            }
            j += 4;
        }
        while j < i {
            let pivot_row = &above[j * size..=j * size + j];
            row[j] = (row[j] - dot(&row[..j], &pivot_row[..j])) * pivot_row[j];
            j += 1;
        }
        let pivot = row[i] - norm_squared(&row[..i]);
        // Written so that NaN fails too.
        if !(pivot > 0.0 && pivot < f64::INFINITY) {
            return false;
        }
        row[i] = 1.0 / pivot.sqrt();
    }
    true
}

/// Dot products of row[..j] with rows j..j+4 of `above`.
fn dot4(row: &[f64], above: &[f64], size: usize, j: usize) -> [f64; 4] {
    let mut sums = [[0.0; 2]; 4];
    let r0 = &above[j * size..j * size + j];
    let r1 = &above[(j + 1) * size..(j + 1) * size + j];
    let r2 = &above[(j + 2) * size..(j + 2) * size + j];
    let r3 = &above[(j + 3) * size..(j + 3) * size + j];
    let x = &row[..j];
    // j is a multiple of four.
    for c in 0..j / 2 {
        for lane in 0..2 {
            let value = x[2 * c + lane];
            sums[0][lane] += value * r0[2 * c + lane];
            sums[1][lane] += value * r1[2 * c + lane];
            sums[2][lane] += value * r2[2 * c + lane];
            sums[3][lane] += value * r3[2 * c + lane];
        }
    }
    [
        sums[0][0] + sums[0][1],
        sums[1][0] + sums[1][1],
        sums[2][0] + sums[2][1],
        sums[3][0] + sums[3][1],
    ]
}

/// Solves L L' x = b in place, with the factor that [`cholesky`] left.
pub fn cholesky_solve(factor: &[f64], size: usize, b: &mut [f64]) {
    for i in 0..size {
        let row = &factor[i * size..=i * size + i];
        b[i] = (b[i] - dot(&row[..i], &b[..i])) * row[i];
    }
    for i in (0..size).rev() {
        let row = &factor[i * size..=i * size + i];
        b[i] *= row[i];
        let value = b[i];
        add_scaled(&mut b[..i], -value, &row[..i]);
    }
}

/// (L L')⁻¹, both triangles, with the factor that [`cholesky`] left.
#[cfg_attr(
    not(target_arch = "wasm32"),
    multiversion::multiversion(targets("x86_64+avx+avx2"))
)]
pub fn cholesky_inverse(factor: &[f64], size: usize) -> Vec<f64> {
    // Row i of L⁻¹: (e_i - Σ_j<i L_ij row_j) / L_ii.
    let mut inverse = vec![0.0; size * size];
    for i in 0..size {
        let (above, current) = inverse.split_at_mut(i * size);
        let row = &mut current[..size];
        let entries = &factor[i * size..=i * size + i];
        for (j, done) in above.chunks_exact(size).enumerate() {
            add_scaled(&mut row[..=j], -entries[j], &done[..=j]);
        }
        row[..i].iter_mut().for_each(|entry| *entry *= entries[i]);
        row[i] = entries[i];
    }
    // L⁻¹' L⁻¹, four rows at a time, none beyond the last entry of the four.
    let mut out = vec![0.0; size * size];
    let mut blocks = inverse.chunks_exact((4 * size).max(1));
    for (block, end) in (&mut blocks).zip((4..).step_by(4)) {
        let (first, second) = block.split_at(2 * size);
        let ((x, y), (z, t)) = (first.split_at(size), second.split_at(size));
        for a in 0..end {
            let (xa, ya, za, ta) = (x[a], y[a], z[a], t[a]);
            let target = &mut out[a * size..=a * size + a];
            for ((((g, x), y), z), t) in target.iter_mut().zip(x).zip(y).zip(z).zip(t) {
                *g += (xa * x + ya * y) + (za * z + ta * t);
            }
        }
    }
    for row in blocks.remainder().chunks_exact(size.max(1)) {
        for a in 0..size {
            add_scaled(&mut out[a * size..=a * size + a], row[a], &row[..=a]);
        }
    }
    mirror(&mut out, size);
    out
}

/// Eigenvalues (ascending) and eigenvectors of a symmetric matrix.
#[derive(Clone, Debug, Default)]
pub struct Eigen {
    /// Ascending.
    pub values: Vec<f64>,
    /// Row a is the eigenvector of value a.
    pub vectors: Vec<f64>,
    off_diagonal: Vec<f64>,
}

impl Eigen {
    /// Decomposes a symmetric size x size matrix (rows; both triangles filled): Householder
    /// reduction to tridiagonal form and implicit QL. False where QL does not converge, which
    /// only happens on numbers that are not finite.
    #[must_use]
    pub fn decompose(&mut self, matrix: &[f64], size: usize) -> bool {
        self.values.clear();
        self.values.resize(size, 0.0);
        self.off_diagonal.clear();
        self.off_diagonal.resize(size, 0.0);
        self.vectors.clear();
        self.vectors.extend_from_slice(matrix);
        if matrix.iter().any(|value| !value.is_finite()) {
            return false;
        }
        self.tridiagonalise(size);
        self.implicit_ql(size)
    }

    fn tridiagonalise(&mut self, n: usize) {
        let (v, d, e) = (&mut self.vectors, &mut self.values, &mut self.off_diagonal);
        // Reduces the trailing rows in turn. Householder vectors stay in the rows of v.
        let mut work = vec![0.0; n];
        for i in (1..n).rev() {
            let (head, tail) = v.split_at_mut(i * n);
            let u = &mut tail[..i];
            let scale = if i > 1 {
                u.iter().map(|x| x.abs()).sum::<f64>()
            } else {
                0.0
            };
            if scale == 0.0 {
                e[i] = u[i - 1];
                d[i] = 0.0;
                continue;
            }
            for x in u.iter_mut() {
                *x /= scale;
            }
            let mut h = norm_squared(u);
            let f = u[i - 1];
            let g = if f > 0.0 { -h.sqrt() } else { h.sqrt() };
            e[i] = scale * g;
            h -= f * g;
            u[i - 1] = f - g;
            d[i] = h;
            // p = A u / h, K = u'p / 2h, q = p - K u; A -= q u' + u q'. Only the lower triangle.
            let p = &mut work[..i];
            p.fill(0.0);
            for j in 0..i {
                let row = &head[j * n..=j * n + j];
                p[j] += dot(row, &u[..=j]);
                add_scaled(&mut p[..j], u[j], &row[..j]);
            }
            let mut k = 0.0;
            for j in 0..i {
                p[j] /= h;
                k += p[j] * u[j];
            }
            k /= 2.0 * h;
            for j in 0..i {
                p[j] -= k * u[j];
            }
            for j in 0..i {
                let row = &mut head[j * n..=j * n + j];
                add_scaled(row, -p[j], &u[..=j]);
                add_scaled(row, -u[j], &p[..=j]);
            }
        }
        // Accumulates the transformations: the leading i x i block is the product so far.
        let diagonal: Vec<f64> = (0..n).map(|i| v[i * n + i]).collect();
        for i in 0..n {
            if i > 0 && d[i] != 0.0 {
                let (head, tail) = v.split_at_mut(i * n);
                let u = &tail[..i];
                for j in 0..i {
                    let row = &mut head[j * n..j * n + i];
                    let c = dot(row, u) / d[i];
                    add_scaled(row, -c, u);
                }
            }
            for j in 0..i {
                v[i * n + j] = 0.0;
                v[j * n + i] = 0.0;
            }
            v[i * n + i] = 1.0;
        }
        d.copy_from_slice(&diagonal);
        // Here v = P' with A = P T P'; the rotations of QL act on columns of P: rows of v.
        e.copy_within(1.., 0);
        if n > 0 {
            e[n - 1] = 0.0;
        }
    }

    fn implicit_ql(&mut self, n: usize) -> bool {
        let (v, d, e) = (&mut self.vectors, &mut self.values, &mut self.off_diagonal);
        for l in 0..n {
            for round in 0.. {
                let mut m = l;
                while m + 1 < n {
                    let size = d[m].abs() + d[m + 1].abs();
                    if e[m].abs() <= f64::EPSILON * size {
                        break;
                    }
                    m += 1;
                }
                if m == l {
                    break;
                }
                if round == 60 {
                    return false;
                }
                // Wilkinson's shift.
                let mut g = (d[l + 1] - d[l]) / (2.0 * e[l]);
                let r = (g * g + 1.0).sqrt();
                g = d[m] - d[l] + e[l] / (g + if g >= 0.0 { r } else { -r });
                let (mut s, mut c, mut p) = (1.0, 1.0, 0.0);
                let mut deflated = false;
                for i in (l..m).rev() {
                    let f = s * e[i];
                    let b = c * e[i];
                    let r = (f * f + g * g).sqrt();
                    e[i + 1] = r;
                    if r == 0.0 {
                        d[i + 1] -= p;
                        e[m] = 0.0;
                        deflated = true;
                        break;
                    }
                    s = f / r;
                    c = g / r;
                    g = d[i + 1] - p;
                    let t = (d[i] - g) * s + 2.0 * c * b;
                    p = s * t;
                    d[i + 1] = g + p;
                    g = c * t - b;
                    let (low, high) = v.split_at_mut((i + 1) * n);
                    for (x, y) in low[i * n..].iter_mut().zip(&mut high[..n]) {
                        let f = *y;
                        *y = s * *x + c * f;
                        *x = c * *x - s * f;
                    }
                }
                if deflated {
                    continue;
                }
                d[l] -= p;
                e[l] = g;
                e[m] = 0.0;
            }
        }
        self.sort(n);
        true
    }

    fn sort(&mut self, n: usize) {
        for i in 0..n {
            let mut smallest = i;
            for j in i + 1..n {
                if self.values[j] < self.values[smallest] {
                    smallest = j;
                }
            }
            if smallest != i {
                self.values.swap(i, smallest);
                let (low, high) = self.vectors.split_at_mut(smallest * n);
                low[i * n..(i + 1) * n].swap_with_slice(&mut high[..n]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

    use super::*;

    fn random_matrix(size: usize, seed: u64) -> Vec<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let entry = |_| f64::from(random.next_u32()) / f64::from(u32::MAX) * 2.0 - 1.0;
        (0..size * size).map(entry).collect()
    }

    fn gram(size: usize, seed: u64) -> Vec<f64> {
        let factor = random_matrix(size, seed);
        let mut gram = vec![0.0; size * size];
        let rows: Vec<&[f64]> = factor.chunks_exact(size).collect();
        add_gram(&mut gram, size, 1.0, &rows);
        mirror(&mut gram, size);
        gram
    }

    #[test]
    fn gram_equals_the_definition() {
        for size in [1, 3, 4, 7, 10] {
            let factor = random_matrix(size, 1);
            let found = gram(size, 1);
            for a in 0..size {
                for b in 0..size {
                    let exact: f64 = (0..size)
                        .map(|r| factor[r * size + a] * factor[r * size + b])
                        .sum();
                    assert!((found[a * size + b] - exact).abs() < 1e-12 * size as f64);
                }
            }
        }
    }

    #[test]
    fn a_gram_matrix_has_the_same_bits_whatever_its_tiles_and_vectors() {
        for (size, count) in [(1, 5), (5, 4), (12, 40), (23, 33), (31, 100), (129, 70)] {
            let points = random_matrix(count.max(size), 7);
            let rows: Vec<&[f64]> = points.chunks_exact(size).take(count).collect();
            let of = |add: fn(&mut [f64], usize, f64, &[&[f64]])| {
                let mut gram = vec![0.0; size * size];
                add(&mut gram, size, 0.7, &rows);
                mirror(&mut gram, size);
                gram.iter().map(|entry| entry.to_bits()).collect::<Vec<_>>()
            };
            // The first is the path that this machine takes, the second that of all others.
            let first = of(add_gram);
            assert_eq!(
                first,
                of(add_gram_in_tiles::<false>),
                "{size}, {count} rows"
            );
            assert_eq!(first, of(add_gram_in_tiles::<true>), "{size}, {count} rows");
            let first: Vec<f64> = first.into_iter().map(f64::from_bits).collect();
            for a in 0..size {
                for b in 0..size {
                    let exact: f64 = rows.iter().map(|row| 0.7 * row[a] * row[b]).sum();
                    assert!((first[a * size + b] - exact).abs() < 1e-13 * count as f64);
                }
            }
        }
    }

    #[test]
    fn a_combination_of_rows_has_the_same_bits_whatever_its_tiles_and_vectors() {
        let sizes = (0..40).chain([129]);
        for (size, count) in sizes.flat_map(|size| [(size, 0), (size, 3), (size, 22), (size, 61)]) {
            let rows = random_matrix(130, 4);
            let (rows, c) = (&rows[..size * count], &random_matrix(8, 5)[..count]);
            let start = &random_matrix(130, 6)[..size];
            // The path that this machine takes, that of all others, and entries one by one.
            let (mut first, mut second, mut third) =
                (start.to_vec(), start.to_vec(), start.to_vec());
            add_combination(&mut first, rows, c);
            combine(&mut second, rows, c);
            for k in 0..size {
                [third[k]] = combined(&third, rows, c, k);
            }
            assert_eq!(first, second, "{count} rows of {size}");
            assert_eq!(first, third, "{count} rows of {size}");
            for (k, entry) in first.iter().enumerate() {
                let column = rows.iter().skip(k).step_by(size).zip(c);
                let exact = start[k] + column.map(|(x, c)| c * x).sum::<f64>();
                assert!((entry - exact).abs() < 1e-14 * (count + 1) as f64);
            }
        }
    }

    #[test]
    fn four_rows_at_once_give_the_bits_of_one_after_the_other() {
        let (rows, c) = (random_matrix(8, 6), [0.3, -1.7, 0.0, 2.9]);
        let mut first = rows[56..61].to_vec();
        let mut second = first.clone();
        add_four(&mut first, &rows[..20], c);
        for (row, c) in rows.chunks_exact(5).zip(c) {
            add_scaled(&mut second, c, row);
        }
        assert_eq!(first, second);
    }

    #[test]
    fn rows_that_share_loads_have_the_bits_of_one_row_at_a_time() {
        for (size, count) in [(0, 5), (1, 4), (3, 9), (4, 8), (22, 7), (129, 10)] {
            let rows = random_matrix(130, 11);
            let (rows, x) = (&rows[..size * count], &random_matrix(12, 12)[..size]);
            let mut products = vec![f64::NAN; count];
            multiply(&mut products, rows, x);
            for (n, product) in products.iter().enumerate().filter(|_| size > 0) {
                let row = &rows[n * size..(n + 1) * size];
                assert_eq!(
                    product.to_bits(),
                    dot(row, x).to_bits(),
                    "row {n} of {size}"
                );
            }
        }
    }

    #[test]
    fn the_symmetric_product_is_that_of_the_rows() {
        for size in [1, 2, 4, 7, 30] {
            let a = gram(size, 8);
            let x = random_matrix(size, 9);
            let (mut by_rows, mut combined) = (vec![0.0; size], vec![0.0; size]);
            multiply(&mut by_rows, &a, &x[..size]);
            multiply_symmetric(&mut combined, &a, &x[..size]);
            for (a, b) in by_rows.iter().zip(&combined) {
                assert!((a - b).abs() < 1e-13 * size as f64, "{size}: {a} {b}");
            }
        }
    }

    #[test]
    fn cholesky_solves_what_it_factors() {
        for size in [1, 2, 5, 8, 29, 64] {
            let mut a = gram(size, 2);
            for i in 0..size {
                a[i * size + i] += 1.0;
            }
            let x: Vec<f64> = (0..size).map(|i| i as f64 - 3.0).collect();
            let mut b = vec![0.0; size];
            multiply(&mut b, &a, &x);
            let matrix = a.clone();
            assert!(cholesky(&mut a, size));
            cholesky_solve(&a, size, &mut b);
            let inverse = cholesky_inverse(&a, size);
            for i in 0..size {
                for j in 0..size {
                    let row = &matrix[i * size..(i + 1) * size];
                    let product = dot(row, &inverse[j * size..(j + 1) * size]);
                    assert!((product - f64::from(u8::from(i == j))).abs() < 1e-10);
                }
            }
            for i in 0..size {
                assert!((b[i] - x[i]).abs() < 1e-10, "{size}: {} {}", b[i], x[i]);
            }
        }
        assert!(!cholesky(&mut [1.0, 0.0, 2.0, 1.0], 2));
        assert!(!cholesky(&mut [f64::NAN], 1));
    }

    #[test]
    fn eigenvectors_rebuild_the_matrix_and_agree_with_nalgebra() {
        for size in [1, 2, 3, 7, 10, 29, 40] {
            let mut a = gram(size, 3);
            // Double and zero eigenvalues are the cases of this program.
            if size > 3 {
                for k in 0..size {
                    a[k] = 0.0;
                    a[k * size] = 0.0;
                }
            }
            let mut eigen = Eigen::default();
            assert!(eigen.decompose(&a, size));
            let scale = eigen.values[size - 1].abs().max(1.0);
            for i in 0..size {
                for j in 0..size {
                    let rebuilt: f64 = (0..size)
                        .map(|k| {
                            eigen.values[k]
                                * eigen.vectors[k * size + i]
                                * eigen.vectors[k * size + j]
                        })
                        .sum();
                    assert!((rebuilt - a[i * size + j]).abs() < 1e-13 * scale * size as f64);
                    let product = dot(
                        &eigen.vectors[i * size..(i + 1) * size],
                        &eigen.vectors[j * size..(j + 1) * size],
                    );
                    let identity = f64::from(u8::from(i == j));
                    assert!((product - identity).abs() < 1e-13 * size as f64);
                }
            }
            let other = nalgebra::DMatrix::from_row_slice(size, size, &a).symmetric_eigenvalues();
            let mut other: Vec<f64> = other.iter().copied().collect();
            other.sort_by(f64::total_cmp);
            for (ours, theirs) in eigen.values.iter().zip(&other) {
                assert!((ours - theirs).abs() < 1e-12 * scale);
            }
        }
        assert!(!Eigen::default().decompose(&[f64::NAN], 1));
    }
}
