//! Tables and plots of the results, as Markdown.

use crate::output::print;

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    title: &'static str,
    unit: &'static str,
    decimals: usize,
    /// Whether a cell also shows the ratio to the first row.
    is_compared: bool,
}

impl Column {
    pub(super) const fn plain(title: &'static str, unit: &'static str, decimals: usize) -> Self {
        Self {
            title,
            unit,
            decimals,
            is_compared: false,
        }
    }

    pub(super) const fn compared(title: &'static str, unit: &'static str, decimals: usize) -> Self {
        Self {
            is_compared: true,
            ..Self::plain(title, unit, decimals)
        }
    }
}

/// The values of several rounds, by row and column.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<Column>,
    /// In the order in which they were added first.
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    name: String,
    /// For each column, the value of each round.
    values: Vec<Vec<f64>>,
}

impl Table {
    pub(super) fn new(columns: &[Column]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds the values of one round, one for each column.
    pub(super) fn add(&mut self, name: &str, values: &[f64]) {
        let known = self.rows.iter().position(|row| row.name == name);
        let index = known.unwrap_or_else(|| {
            self.rows.push(Row {
                name: name.to_owned(),
                values: vec![Vec::new(); self.columns.len()],
            });
            self.rows.len() - 1
        });
        for (all, value) in self.rows[index].values.iter_mut().zip(values) {
            all.push(*value);
        }
    }

    /// Prints the medians as a table.
    pub(super) fn print(&self) -> anyhow::Result<()> {
        let titles: Vec<_> = self.columns.iter().map(|column| column.title).collect();
        print(format_args!("| | {} |", titles.join(" | ")))?;
        print(format_args!("| --- |{}", " ---: |".repeat(titles.len())))?;
        for row in &self.rows {
            let cells = self.columns.iter().enumerate().map(|(index, column)| {
                let (value, decimals) = (row.median(index), column.decimals);
                let mut cell = format!("{value:.decimals$}{}", column.unit);
                if column.is_compared {
                    let ratio = value / self.rows[0].median(index);
                    cell = format!("{cell} ({ratio:.2})");
                }
                cell
            });
            let cells: Vec<_> = cells.collect();
            print(format_args!("| {} | {} |", row.name, cells.join(" | ")))?;
        }
        Ok(())
    }

    /// Prints a plot of a column, as ratios to the first row.
    pub(super) fn plot(&self, title: &str, column: usize) -> anyhow::Result<()> {
        let first = self.rows[0].median(column);
        plot(
            title,
            self.rows
                .iter()
                .map(|row| (&*row.name, row.median(column) / first)),
            2,
        )
    }

    /// Prints a plot of a column, as differences to the row `from`.
    pub(super) fn plot_difference(&self, title: &str, column: usize, from: &str) -> anyhow::Result<()> {
        let base = self.rows.iter().find(|row| row.name == from);
        let base = base.map_or(0.0, |row| row.median(column));
        let others = self.rows.iter().filter(|row| row.name != from);
        plot(
            title,
            others.map(|row| (&*row.name, row.median(column) - base)),
            0,
        )
    }
}

impl Row {
    fn median(&self, column: usize) -> f64 {
        let mut values = self.values[column].clone();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }
}

/// Prints a bar chart in Mermaid's language, which the pages of repositories show as a picture.
fn plot<'a>(title: &str, bars: impl Iterator<Item = (&'a str, f64)>, decimals: usize) -> anyhow::Result<()> {
    let (names, values): (Vec<_>, Vec<_>) = bars
        .map(|(name, value)| (format!("\"{name}\""), format!("{value:.decimals$}")))
        .unzip();
    print("\n```mermaid\nxychart-beta horizontal")?;
    print(format_args!("  title \"{title}\""))?;
    print(format_args!("  x-axis [{}]", names.join(", ")))?;
    print(format_args!("  bar [{}]\n```", values.join(", ")))?;
    Ok(())
}
