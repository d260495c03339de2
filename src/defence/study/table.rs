//! A study as tables.

use std::fmt::Write as _;

use super::{Against, DefenceStudy, Learned};

impl DefenceStudy {
    /// A row for each defence and attacker: `defence,setting,attacker,knows,clean,attacked,certified,
    /// remaining,caught,injected,lost`. What is not defined, or not done yet, is empty.
    pub fn csv(&self) -> String {
        let mut text = "defence,setting,attacker,knows,clean,attacked,certified,remaining,caught,\
                        injected,lost\n"
            .to_string();
        learned(&mut text, "none", &self.undefended, None);
        // Nothing is left of the injected points, whoever chose them.
        let oracle = optional(self.oracle);
        let _ = writeln!(text, "oracle,,any,,{oracle},{oracle},,0,,,");
        let certified = self.caps.first().and_then(|point| point.certified);
        learned(&mut text, "single_task", &self.single_task, certified);
        for point in &self.caps {
            let Some(cap) = point.pull_cap else { continue };
            for (attacker, knows, attacked) in [
                ("standard", false, point.standard),
                ("through_cap", true, point.knowing),
            ] {
                let _ = writeln!(
                    text,
                    "pull_cap,{cap},{attacker},{knows},{},{},{},{},,,",
                    optional(point.clean),
                    optional(attacked),
                    optional(point.certified),
                    optional(self.remaining(attacked)),
                );
            }
        }
        for row in &self.sanitisers {
            let setting = row
                .share
                .map_or("fence".to_string(), |share| share.to_string());
            for found in &row.against {
                against(
                    &mut text,
                    row.rule.word(),
                    &setting,
                    (row.clean, None),
                    found,
                );
            }
        }
        text
    }

    /// A row for each ranking: `attacker,of,score,roc_auc,precision`.
    pub fn rankings_csv(&self) -> String {
        let mut text = "attacker,of,score,roc_auc,precision\n".to_string();
        for rankings in &self.rankings {
            let attacker = rankings.attacker.word();
            let tasks = (rankings.tasks.iter())
                .map(|ranking| ("tasks", ranking.score.word(), &ranking.figures));
            let points = (rankings.points.iter())
                .map(|ranking| ("points", ranking.score.word(), &ranking.figures));
            for (of, score, figures) in tasks.chain(points) {
                let (roc_auc, precision) = (optional(figures.roc_auc), optional(figures.precision));
                let _ = writeln!(text, "{attacker},{of},{score},{roc_auc},{precision}");
            }
        }
        text
    }
}

fn learned(text: &mut String, defence: &str, learned: &Learned, certified: Option<f64>) {
    for found in &learned.against {
        against(text, defence, "", (learned.clean, certified), found);
    }
}

fn against(
    text: &mut String,
    defence: &str,
    setting: &str,
    (clean, certified): (Option<f64>, Option<f64>),
    found: &Against,
) {
    let counts = found.dropped.map_or(",,".to_string(), |dropped| {
        format!("{},{},{}", dropped.caught, dropped.injected, dropped.lost)
    });
    let _ = writeln!(
        text,
        "{defence},{setting},{},{},{},{},{},{},{counts}",
        found.attacker.word(),
        found.knows,
        optional(clean),
        optional(found.attacked),
        optional(certified),
        optional(found.remaining),
    );
}

fn optional(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}
