//! Pages and plots, as a person sees them.

mod common;

use std::time::Instant;

use common::browser::Browser;
use common::{Folder, mnist, number};
use serde_json::{Value, json};

/// The data that a page holds.
fn data(page: &str) -> Value {
    let start = page.split("<script type=\"application/json\" id=\"data\">").nth(1).unwrap();
    serde_json::from_str(start.split("</script>").next().unwrap()).unwrap()
}

#[test]
fn the_numbers_of_a_page_are_those_that_are_printed() {
    let folder = Folder::new();
    let printed = folder.json("compare iris --epochs 5 --report page.html --json");
    let page = folder.read("page.html");
    let models = &data(&page)["models"];
    for (index, name) in ["autoencoder", "pca"].into_iter().enumerate() {
        for (key, value) in printed[name].as_object().unwrap() {
            assert_eq!(&models[index][key], value, "{key} of {name}");
        }
    }
    let text = folder.done("compare iris --epochs 5");
    for line in text.lines().filter(|line| line.starts_with("error") || line.starts_with("variance")) {
        for cell in line.split("  ").map(str::trim).skip(1).filter(|cell| !cell.is_empty()) {
            assert!(page.contains(&format!("<td>{cell}</td>")), "{cell} of `{line}`");
        }
    }
    assert!(page.contains("15 held-out rows of iris"), "what is held out is said");
}

#[test]
fn a_report_shows_any_models_and_its_numbers_are_those_of_evaluate() {
    let folder = Folder::new();
    folder.done("train digits -L 64,20,3,20,64 --epochs 5 --out deep.safetensors -q");
    folder.done("pca digits -k 3 --out pca.safetensors");
    let printed = folder.json("report deep.safetensors pca.safetensors digits --out page.html --json");
    let page = folder.read("page.html");
    for (index, model) in ["deep", "pca"].into_iter().enumerate() {
        let evaluated = folder.json(&format!("evaluate {model}.safetensors digits --json"));
        assert_eq!(printed["models"][index]["name"], model);
        assert_eq!(printed["models"][index]["error_per_row"], evaluated["error_per_row"]);
        assert_eq!(data(&page)["models"][index]["error_per_row"], evaluated["error_per_row"]);
    }
    assert!(page.contains("diabolo report deep.safetensors pca.safetensors digits --out page.html --json"));
    assert!(page.contains("Error against epochs"), "the model's file keeps its epochs");
}

/// What is visible of each figure: SVG elements that draw something, and canvases with more than one colour.
const BLANK: &str = r#"(() => {
    const blank = [];
    for (const figure of document.querySelectorAll("figure:not([hidden]) svg, figure canvas")) {
        const box = figure.getBoundingClientRect();
        let drawn = box.width > 50 && box.height > 20;
        if (figure.tagName === "CANVAS") {
            const pixels = figure.getContext("2d").getImageData(0, 0, figure.width, figure.height).data;
            drawn &&= new Set(new Uint32Array(pixels.buffer)).size > 10;
        } else {
            drawn &&= figure.querySelectorAll("path, image, rect").length > 0;
        }
        for (const image of figure.querySelectorAll("image")) drawn &&= image.getBoundingClientRect().width > 5;
        if (!drawn || !figure.getAttribute("aria-label")) blank.push(figure.outerHTML.slice(0, 200));
    }
    return blank;
})()"#;

/// Opens a page of a model with two codes, looks at all of it, and uses it.
fn look_at(browser: &mut Browser, folder: &Folder, page: &str) {
    browser.open(&folder.path(page));
    assert_eq!(browser.evaluate(BLANK), json!([]), "figures of {page} that are blank or have no description");
    let wide = browser.evaluate("document.documentElement.scrollWidth <= window.innerWidth");
    assert_eq!(wide, true, "{page} does not scroll sideways");
    // The scale of the loss.
    let shown = "[...document.querySelectorAll('#loss figure:not([hidden])')].map((figure) => figure.className).join()";
    assert_eq!(browser.evaluate(shown), "linear,linear");
    browser.evaluate("document.getElementById('log').click()");
    assert_eq!(browser.evaluate(shown), "log,log");
    assert_eq!(browser.evaluate(BLANK), json!([]));
    // A dot under the pointer: the pointer goes over the middle line of the first chart until it meets one.
    browser.evaluate("document.getElementById('codes-0').scrollIntoView()");
    let place = browser.evaluate(
        "(() => { const box = document.getElementById('codes-0').getBoundingClientRect(); \
         return [box.left, box.top, box.width, box.height]; })()",
    );
    let place: Vec<f64> = place.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
    let row = "document.getElementById('row').textContent";
    let met = (0..400).any(|step| {
        let (across, up) = (f64::from(step % 20) / 20.0, f64::from(step / 20) / 20.0);
        browser.hover(place[0] + place[2] * (0.15 + 0.8 * across), place[1] + place[3] * (0.05 + 0.8 * up));
        browser.evaluate(row).as_str().unwrap().contains("error by")
    });
    assert!(met, "no row is shown in {page}");
    // The keyboard goes on to the next row, and a label shows its rows alone.
    let before = browser.evaluate(row);
    browser.evaluate(
        "document.getElementById('codes-0').dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight' }))",
    );
    assert_ne!(browser.evaluate(row), before);
    let pressed = browser.evaluate(
        "(() => { const button = document.querySelector('#legend button'); button.click(); \
         return button.getAttribute('aria-pressed'); })()",
    );
    assert_eq!(pressed, "true");
    assert_eq!(browser.errors, Vec::<String>::new(), "errors of {page}");
}

#[test]
fn pages_are_drawn_and_answer_to_pointer_and_keys() {
    let folder = Folder::new();
    folder.done("compare digits --epochs 20 --report digits.html -q");
    folder.done("compare iris --epochs 20 --report iris.html -q");
    folder.done("compare digits -k 5 --epochs 3 --report wide.html -q");
    for (width, height) in [(1200, 900), (390, 800)] {
        let Some(mut browser) = Browser::start(width, height) else { return };
        for page in ["digits.html", "iris.html", "wide.html"] {
            look_at(&mut browser, &folder, page);
        }
        let choices = browser.evaluate("document.querySelectorAll('.axes select option').length");
        assert_eq!(choices, 2 * 2 * (5 + 2), "any pair of five codes or of their principal components, by both models");
    }
}

#[test]
fn a_page_follows_into_dark_mode() {
    let folder = Folder::new();
    folder.done("compare iris --epochs 3 --report page.html -q");
    let Some(mut browser) = Browser::start(1000, 800) else { return };
    let dark = json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] });
    browser.call("Emulation.setEmulatedMedia", dark);
    browser.open(&folder.path("page.html"));
    let colours = browser.evaluate(
        "[document.body, document.querySelector('.figure text')].map((element, index) => \
         getComputedStyle(element)[index ? 'fill' : 'backgroundColor'])",
    );
    assert_eq!(colours, json!(["rgb(22, 24, 28)", "rgb(216, 216, 216)"]));
    assert_eq!(browser.evaluate(BLANK), json!([]));
}

#[test]
fn the_page_of_ten_thousand_images_is_small_and_quick() {
    let Some(mnist) = mnist() else { return };
    let folder = Folder::new();
    folder.copy_all(&mnist);
    folder
        .done("compare t10k-images-idx3-ubyte.gz --labels t10k-labels-idx1-ubyte.gz --epochs 1 --report page.html -q");
    let size = folder.bytes("page.html").len();
    assert!(size < 8_000_000, "{size} bytes");
    let Some(mut browser) = Browser::start(1200, 900) else { return };
    let start = Instant::now();
    look_at_once(&mut browser, &folder);
    let seconds = start.elapsed().as_secs_f64();
    println!("{size} bytes, {seconds:.2} seconds to be loaded and drawn");
    assert!(seconds < 2.0, "{seconds} seconds");
}

/// Opens a page, and has a row shown.
fn look_at_once(browser: &mut Browser, folder: &Folder) {
    browser.open(&folder.path("page.html"));
    browser.evaluate(
        "document.getElementById('codes-0').dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight' }))",
    );
    assert!(browser.evaluate("document.getElementById('row').textContent").as_str().unwrap().contains("Row 1"));
}

#[test]
fn every_plot_is_written_as_svg_and_as_png() {
    let folder = Folder::new();
    folder.done("train digits -L 64,20,2,20,64 --epochs 5 --out deep.safetensors -q");
    folder.done("pca digits -k 2 --out pca.safetensors");
    for kind in ["loss", "codes", "reconstructions", "filters", "manifold", "errors"] {
        let data = if kind == "loss" { "" } else { "digits" };
        for ending in ["svg", "png"] {
            folder.done(&format!("plot {kind} deep.safetensors pca.safetensors {data} --out {kind}.{ending}"));
        }
        let svg = folder.read(&format!("{kind}.svg"));
        assert!(svg.starts_with("<svg") && svg.contains("<title>") && svg.trim_end().ends_with("</svg>"), "{kind}");
        let png = folder.bytes(&format!("{kind}.png"));
        let decoder = png::Decoder::new(std::io::Cursor::new(png));
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        let colours: std::collections::HashSet<&[u8]> = pixels.chunks_exact(4).collect();
        assert!(colours.len() > 20, "{kind}.png has {} colours", colours.len());
    }
}

#[test]
fn odd_data_makes_a_sensible_page() {
    let folder = Folder::new();
    folder.write("one-class.csv", "a,b,kind\n1,2,x\n3,4,x\n5,7,x\n2,2,x\n");
    folder.write("one-row.csv", "a,b\n1,2\n");
    folder.write("constant.csv", "a,b\n1,2\n1,2\n1,2\n");
    folder.write("names.csv", "\"<b>&\",\"</script>\"\n1,2\n3,4\n5,7\n");
    folder.done("compare one-class.csv --label kind -k 1 --epochs 2 --report page.html -q");
    assert!(folder.read("page.html").contains("coloured by kind"));
    folder.done("train one-class.csv --label kind -L 2,1,2 --epochs 1 --out model.safetensors -q");
    for data in ["one-row.csv", "constant.csv"] {
        let printed = folder.json(&format!("report model.safetensors {data} --out page.html --json"));
        assert!(number(&printed, "rows") >= 1.0);
        for text in ["NaN", "inf"] {
            assert!(!folder.read("page.html").split("<script").next().unwrap().contains(text), "{text} for {data}");
        }
    }
    folder.done("compare names.csv -k 1 --epochs 1 --report page.html -q");
    let page = folder.read("page.html");
    assert!(!page.contains("<b>&") && page.matches("</script>").count() == 2);
}

#[test]
fn what_cannot_be_shown_is_an_error_that_says_why() {
    let folder = Folder::new();
    folder.write("labels.txt", "a\nb\n");
    folder.write("nan.csv", "a,b,c,d\n1,2,NaN,4\n");
    folder.done("train iris -L 4,2,4 --epochs 1 --out iris.safetensors -q");
    folder.done("pca digits -k 2 --out digits.safetensors");
    for (arguments, status, expected) in [
        ("compare iris --labels labels.txt --report page.html", 1, "labels.txt: 2 labels, but the data has 150 rows"),
        ("compare iris --labels missing.txt --report page.html", 1, "missing.txt: cannot read"),
        ("compare iris --labels labels.txt --label species", 2, "cannot be used with"),
        ("report digits.safetensors iris --out page.html", 1, "there is no column `pixel_0_0`"),
        ("report iris.safetensors digits.safetensors iris --out page.html", 1, "takes other columns"),
        ("report iris.safetensors nan.csv --out page.html", 1, "nan.csv"),
        ("report iris.safetensors --out page.html", 2, "required arguments"),
        ("report iris.safetensors iris --out iris.safetensors", 1, "write to another"),
        ("plot loss digits.safetensors --out plot.svg", 1, "PCA has none"),
        ("plot codes iris.safetensors iris --out plot.gif", 2, "ends neither in .svg nor in .png"),
    ] {
        let run = folder.run(arguments);
        assert_eq!(run.status, status, "`{arguments}`: {}", run.stderr);
        assert!(run.stderr.contains(expected), "`{arguments}`: {}", run.stderr);
    }
    assert!(!folder.names().iter().any(|name| name.starts_with("page") || name.starts_with("plot")));
}

#[test]
fn images_that_are_drawn_and_restored_are_plotted_and_stand_in_the_page() {
    let folder = Folder::new();
    let train = "train digits --layers 64,32,16,32,64 --epochs 5 --quiet";
    folder.done(&format!("{train} --corrupt block:3x3"));
    for (kind, title) in [("drawn", "Drawn at random"), ("restored", "Restored by")] {
        folder.done(&format!("plot {kind} model.safetensors digits --out {kind}.svg"));
        let svg = folder.read(&format!("{kind}.svg"));
        assert!(svg.contains("<image") && svg.contains(title), "{kind}");
    }
    folder.done("report model.safetensors digits --out page.html");
    let page = folder.read("page.html");
    assert!(page.contains("Drawn at random") && page.contains("Restored by"));
    folder.done("pca iris --components 2");
    for kind in ["drawn", "restored"] {
        let run = folder.run(&format!("plot {kind} pca.safetensors iris --out no.svg"));
        assert_eq!(run.status, 1);
        assert!(run.stderr.contains("there is nothing to plot"), "{}", run.stderr);
    }
}
