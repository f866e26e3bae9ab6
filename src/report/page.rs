//! One HTML page about fitted models.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::codes::codes;
use super::drawn::drawn;
use super::errors::{column_errors, errors};
use super::figure::{Figure, STYLE};
use super::filters::filters;
use super::loss::{Span, loss};
use super::manifold::manifold;
use super::markup::{escape, script_json};
use super::measured::{Entry, Measured};
use super::number::plain;
use super::points::points;
use super::reconstructions::{Choice, reconstructions};
use super::restored::restored;
use super::sample::Sample;
use super::summary::Summary;
use crate::error::{Error, Result};

/// Models, and the rows that show their effect.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// The heading of the page.
    pub title: String,
    /// The models, each with its numbers.
    pub models: Vec<(Entry<'a>, Summary)>,
    /// The rows on which the errors among the numbers were measured: "training rows".
    pub measured_on: String,
    /// The rows that are shown.
    pub sample: Sample,
    /// The command that reproduces the page.
    pub command: Option<String>,
}

impl Report<'_> {
    /// The page: one HTML file that needs no network.
    ///
    /// # Errors
    /// When there is no model, or one does not fit the rows.
    pub fn to_html(&self) -> Result<String> {
        if self.models.is_empty() {
            return Err(Error::Mismatch("a report needs a model".into()));
        }
        let entries: Vec<Entry<'_>> = self.models.iter().map(|(entry, _)| *entry).collect();
        let measured = entries.iter().map(|&entry| Measured::new(entry, &self.sample)).collect::<Result<Vec<_>>>()?;
        let title = escape(&self.title);
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n\
             <title>{title}</title>\n<style>\n{STYLE}{}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n",
            include_str!("page.css")
        );
        // From the general to the particular: numbers, the course of training, the codes of all rows, single rows.
        page += &self.table();
        page += &loss_section(&entries);
        page += &self.codes_section(&measured);
        let mut add = |figures: Vec<Figure>| page += &section(&figures);
        add(vec![reconstructions(&measured, &self.sample, Choice::First)]);
        add(vec![reconstructions(&measured, &self.sample, Choice::Worst)]);
        add(vec![errors(&measured, &self.sample)]);
        // A curve over hundreds of pixels shows nothing.
        if self.sample.dataset().image_shape().is_none() {
            add(vec![column_errors(&measured, &self.sample)]);
        }
        add(measured.iter().map(|measured| manifold(measured, &self.sample)).collect::<Result<_>>()?);
        let drawn = measured.iter().map(|measured| drawn(measured, &self.sample)).collect::<Result<Vec<_>>>()?;
        add(drawn.into_iter().flatten().collect());
        add(measured
            .iter()
            .filter_map(|measured| restored(measured, &self.sample).transpose())
            .collect::<Result<_>>()?);
        add(entries.iter().map(|&entry| filters(entry, &self.sample)).collect());
        page += &self.settings();
        // The script has its data in the page itself, because a page from a disk may not load other files.
        let data = json!({ "models": self.models_json(), "points": points(&measured, &self.sample)? });
        write!(
            page,
            "</main>\n<script type=\"application/json\" id=\"data\">{}</script>\n<script>\n{}</script>\n</body>\n</html>\n",
            script_json(&data),
            include_str!("page.js")
        )
        .expect("text takes all that is written to it");
        Ok(page)
    }

    /// The numbers of each model, by its name.
    fn models_json(&self) -> Value {
        let facts = |summary: &Summary| -> Map<String, Value> {
            summary.facts().into_iter().map(|(name, value)| (name.to_string(), value)).collect()
        };
        self.models
            .iter()
            .map(|(entry, summary)| {
                let mut facts = facts(summary);
                facts.insert("name".into(), entry.name.into());
                Value::Object(facts)
            })
            .collect()
    }

    /// The numbers of the models side by side, without those that no model has.
    fn table(&self) -> String {
        let mut table = String::from(
            "<section>\n<h2>In numbers</h2>\n<div class=\"wide\"><table class=\"numbers\">\n<thead><tr><td></td>",
        );
        for (entry, _) in &self.models {
            table += &format!("<th scope=\"col\">{}</th>", escape(entry.name));
        }
        table += "</tr></thead>\n<tbody>\n";
        let facts: Vec<_> = self.models.iter().map(|(_, summary)| summary.facts()).collect();
        for line in 0..facts[0].len() {
            if facts.iter().all(|facts| facts[line].1.is_null()) {
                continue;
            }
            let name = facts[0][line].0.replace('_', " ");
            let of = match name.as_str() {
                "error per row" | "mse" | "variance explained" => format!(", {}", self.measured_on),
                _ => String::new(),
            };
            table += &format!("<tr><th scope=\"row\">{name}<span class=\"of\">{}</span></th>", escape(&of));
            for facts in &facts {
                table += &format!("<td>{}</td>", escape(&plain(&facts[line].1)));
            }
            table += "</tr>\n";
        }
        table += "</tbody></table></div>\n<p class=\"note\">The error of a row is the sum over its columns of (f(x) − x)², in \
                  the units that the model sees; the error per row is its mean over the rows, and the mse its mean over all \
                  elements.</p>\n</section>\n";
        table
    }

    /// The codes, drawn by the page's script, or as a static figure where scripts do not run.
    fn codes_section(&self, measured: &[Measured<'_>]) -> String {
        let static_figure = codes(measured, &self.sample);
        let mut section = format!(
            "<section id=\"codes\">\n<h2>{}</h2>\n<p class=\"note\">{}. Point at a dot, or use the arrow keys, to see its row; \
             press a label to see it alone.</p>\n<div id=\"legend\" role=\"group\" aria-label=\"labels\"></div>\n\
             <div class=\"panels\">\n",
            escape(&static_figure.title),
            escape(&static_figure.description),
        );
        for (index, measured) in measured.iter().enumerate() {
            section += &format!(
                "<figure class=\"panel\"><figcaption>{}</figcaption><div class=\"axes\"></div>\
                 <canvas id=\"codes-{index}\" tabindex=\"0\" role=\"img\" aria-label=\"{}: {}\"></canvas></figure>\n",
                escape(measured.name),
                escape(measured.name),
                escape(&static_figure.description)
            );
        }
        section += "<aside id=\"row\" aria-live=\"polite\"></aside>\n</div>\n";
        section += &format!("<noscript>{}</noscript>\n</section>\n", static_figure.inline());
        section
    }

    fn settings(&self) -> String {
        let mut text = String::from("<section>\n<h2>Made by</h2>\n");
        if let Some(command) = &self.command {
            text += &format!("<p>This page:</p><pre><code>{}</code></pre>\n", escape(command));
        }
        for (entry, _) in &self.models {
            let provenance = &entry.model.provenance;
            text += &format!(
                "<details><summary>Settings of {}: diabolo {}, seed {}, {} training rows</summary>\n<dl>\n",
                escape(entry.name),
                escape(&provenance.version),
                provenance.seed,
                provenance.rows
            );
            for (name, value) in &provenance.settings.by_name() {
                text += &format!("<dt>{}</dt><dd>{}</dd>\n", escape(name), escape(&plain(value)));
            }
            text += "</dl></details>\n";
        }
        text + "</section>\n"
    }
}

/// The loss, whole and its last half, each with a linear and a logarithmic axis.
fn loss_section(entries: &[Entry<'_>]) -> String {
    let Some(figure) = loss(entries, Span::All, false) else { return String::new() };
    let mut text = format!(
        "<section id=\"loss\">\n<h2>{}</h2>\n<p><button type=\"button\" id=\"log\" aria-pressed=\"false\">Logarithmic \
         scale</button></p>\n<div class=\"pair\">\n",
        escape(&figure.title)
    );
    for span in [Span::All, Span::Last] {
        for log in [false, true] {
            let Some(figure) = loss(entries, span, log) else { continue };
            let (class, hidden) = if log { ("log", " hidden") } else { ("linear", "") };
            let caption = if span == Span::All { "All epochs" } else { &figure.title };
            text += &format!(
                "<figure class=\"{class}\"{hidden}><figcaption>{}</figcaption><div class=\"wide\">{}</div></figure>\n",
                escape(caption),
                figure.inline()
            );
        }
    }
    text + "</div>\n<p class=\"note\">Training errors are taken as the minibatches come by, while the model learns.</p>\n</section>\n"
}

/// Figures of one kind.
fn section(figures: &[Figure]) -> String {
    if figures.is_empty() {
        return String::new();
    }
    let mut text = String::from("<section>\n");
    for figure in figures {
        text += &format!(
            "<h2>{}</h2>\n<figure><div class=\"wide\">{}</div><figcaption class=\"note\">{}.</figcaption></figure>\n",
            escape(&figure.title),
            figure.inline(),
            escape(&figure.description)
        );
    }
    text + "</section>\n"
}
