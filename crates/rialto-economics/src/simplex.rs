//! A small linear program: maximise value under capacity limits.
//!
//! Holds the primal simplex method on a dense tableau for `max c·x, A x <= b, x >= 0, b >= 0`
//! with Bland's rule, which cannot cycle (Bland, Mathematics of Operations Research 2(2), 1977).
//! It solves the allocations here exactly; it is not a general solver.

/// Values closer to zero than this count as zero.
const TINY: f64 = 1e-9;

/// A linear program in standard inequality form.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Value of one unit of each variable.
    pub value: Vec<f64>,
    /// Constraints: a coefficient for each variable, and the limit, which must not be negative.
    pub limits: Vec<(Vec<f64>, f64)>,
}

impl Program {
    /// The variables at the optimum. No variable is unbounded if every variable of positive value has a
    /// positive coefficient in some limit; an unbounded one would stay at zero.
    #[must_use]
    pub fn maximise(&self) -> Vec<f64> {
        let variables = self.value.len();
        let rows = self.limits.len();
        let width = variables + rows + 1;
        let mut table: Vec<Vec<f64>> = Vec::with_capacity(rows);
        for (i, (coefficients, limit)) in self.limits.iter().enumerate() {
            let mut row = vec![0.0; width];
            for (cell, coefficient) in row.iter_mut().zip(coefficients) {
                *cell = *coefficient;
            }
            row[variables + i] = 1.0;
            row[width - 1] = limit.max(0.0);
            table.push(row);
        }
        let mut cost = vec![0.0; width];
        for (cell, value) in cost.iter_mut().zip(&self.value) {
            *cell = -value;
        }
        let mut basis: Vec<usize> = (variables..variables + rows).collect();
        while let Some(entering) = cost[..width - 1].iter().position(|c| *c < -TINY) {
            let Some(leaving) = leaving_row(&table, &basis, entering) else {
                break;
            };
            pivot(&mut table, &mut cost, leaving, entering);
            basis[leaving] = entering;
        }
        let mut solution = vec![0.0; variables];
        for (row, variable) in table.iter().zip(&basis) {
            if let Some(cell) = solution.get_mut(*variable) {
                *cell = row[width - 1].max(0.0);
            }
        }
        solution
    }
}

fn leaving_row(table: &[Vec<f64>], basis: &[usize], entering: usize) -> Option<usize> {
    let mut best: Option<(f64, usize)> = None;
    for (i, row) in table.iter().enumerate() {
        if row[entering] <= TINY {
            continue;
        }
        let ratio = row[row.len() - 1] / row[entering];
        let better = match best {
            None => true,
            Some((least, at)) => {
                ratio < least - TINY || (ratio <= least + TINY && basis[i] < basis[at])
            }
        };
        if better {
            best = Some((ratio, i));
        }
    }
    best.map(|(_, i)| i)
}

fn pivot(table: &mut [Vec<f64>], cost: &mut [f64], leaving: usize, entering: usize) {
    let divisor = table[leaving][entering];
    for cell in &mut table[leaving] {
        *cell /= divisor;
    }
    let pivot_row = table[leaving].clone();
    for (i, row) in table.iter_mut().enumerate() {
        if i != leaving {
            subtract(row, &pivot_row, entering);
        }
    }
    subtract(cost, &pivot_row, entering);
}

fn subtract(row: &mut [f64], pivot_row: &[f64], entering: usize) {
    let factor = row[entering];
    if factor == 0.0 {
        return;
    }
    for (cell, pivot) in row.iter_mut().zip(pivot_row) {
        *cell -= factor * pivot;
    }
}
