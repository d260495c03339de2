//! What must hold in wasm: the same tests run in a worker of Chromium and in Node, with the digests
//! that native code found for the golden specifications compiled in (see `tests/golden.rs`).
#![cfg(target_arch = "wasm32")]

#[path = "common/golden.rs"]
mod golden;
#[path = "common/golden_links.rs"]
mod golden_links;

use golden::SYNTHETIC;
use js_sys::{Array, Function, JSON, Reflect};
use patom::experiment::{self, Unobserved};
use patom::spec::link;
use patom::spec::{Shape, Spec};
use patom::wasm::run::Data;
use patom::wasm::{engine, extras};
use tsify::Ts;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

/// Lines `name digest`.
const NATIVE_DIGESTS: Option<&str> = option_env!("PATOM_NATIVE_DIGESTS");

fn native_digest(name: &str) -> &'static str {
    let all = NATIVE_DIGESTS.expect("`cargo xtask test` compiles the native digests in");
    all.split_whitespace()
        .skip_while(|word| *word != name)
        .nth(1)
        .expect("every golden specification has a native digest")
}

fn spec_of(link: &str) -> Spec {
    let draft = link::decode(link).unwrap().draft;
    draft.check(&Shape::named("synthetic").unwrap()).unwrap()
}

fn parse(json: &str) -> JsValue {
    JSON::parse(json).unwrap()
}

/// What `complete` makes of a draft.
fn completion(draft: JsValue) -> JsValue {
    engine::complete(Ts::new_unchecked(draft), None).into()
}

fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap()
}

fn text(object: &JsValue, name: &str) -> String {
    get(object, name).as_string().unwrap()
}

fn complete(draft: JsValue) -> Ts<Spec> {
    Ts::new_unchecked(get(&completion(draft), "spec"))
}

#[wasm_bindgen_test]
fn the_boundary_returns_the_version_of_the_crate() {
    assert_eq!(engine::version(), env!("CARGO_PKG_VERSION"));
}

#[wasm_bindgen_test]
fn every_golden_specification_has_the_digest_that_it_has_natively() {
    for (name, link) in SYNTHETIC {
        let spec = spec_of(link);
        let data = experiment::load_synthetic(&spec).unwrap();
        let outcome = experiment::run(&spec, &data, &mut Unobserved).unwrap();
        assert_eq!(outcome.report.digest, native_digest(name), "{name}");
    }
}

#[wasm_bindgen_test]
fn golden_links_mean_what_they_meant() {
    for (link, meaning) in golden_links::all() {
        assert_eq!(golden_links::meaning(link), meaning, "{link}");
    }
}

#[wasm_bindgen_test]
fn a_run_through_the_boundary_is_the_same_run() {
    let (name, link) = SYNTHETIC[0];
    let spec = complete(get(&engine::read_link(link).into(), "draft"));
    let data = Data::synthetic(spec.clone()).ok().unwrap();
    // The boundary takes functions of any signature.
    let listener: Function = Function::new_with_args(
        "event",
        "const { type, scene, places } = event; \
             if (scene) globalThis.points = scene.injected.length; \
             (globalThis.heard ??= []).push(type, ...(places ? [places.length] : []))",
    )
    .unchecked_into();
    let clock: Function = Function::new_no_args("return 1").unchecked_into();
    let run = data.run(spec, clock, Some(listener)).ok().unwrap();
    assert_eq!(text(&run.report().into(), "digest"), native_digest(name));
    let heard: Array = get(&js_sys::global(), "heard").unchecked_into();
    let heard = String::from(heard.join(" "));
    // Every iteration has a place for each injected point of the scene.
    let points = get(&js_sys::global(), "points").as_f64().unwrap();
    assert!(points > 0.0);
    assert_eq!(
        heard,
        format!("clean{}", format!(" progress {points}").repeat(5))
    );
    let report = parse(&String::from(run.report_json().unwrap()));
    assert_eq!(text(&report, "digest"), native_digest(name));
    assert!(run.points_csv().starts_with("task,split,label,x1,"));
}

#[wasm_bindgen_test]
fn errors_cross_the_boundary_as_code_field_and_message() {
    let refused = completion(parse(r#"{"budget":9,"lambda1":0}"#));
    let errors: Array = get(&refused, "errors").unchecked_into();
    let fields: Vec<String> = errors.iter().map(|error| text(&error, "field")).collect();
    assert_eq!(fields, ["budget", "lambda1"]);
    assert_eq!(text(&errors.get(0), "code"), "field");
    assert!(text(&errors.get(0), "message").starts_with("budget: 9"));

    let refused = engine::read_link("v=3&d=sarcos").into();
    let errors: Array = get(&refused, "errors").unchecked_into();
    assert_eq!(text(&errors.get(0), "field"), "version");

    let thrown = extras::read_file("a.csv", b"task,label,x1\n1,2\n", None)
        .err()
        .unwrap();
    assert_eq!(text(&thrown, "code"), "line");
    assert!(text(&thrown, "message").starts_with("line 2: 2 columns"));

    let listener = Function::new_no_args("throw new Error('enough')");
    let spec = complete(parse(r#"{"iterations":1}"#));
    let data = Data::synthetic(spec.clone()).ok().unwrap();
    let stopped = data.run(spec, Function::new_no_args("return 1"), Some(listener));
    assert_eq!(text(&stopped.err().unwrap(), "code"), "cancelled");
}
