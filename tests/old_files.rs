//! Model files of version 0.1.0 still load, with all that they say of how they were made.

use std::fs;
use std::path::PathBuf;

use diabolo::augment::{Corruption, Hiding};
use diabolo::data::{ReadOptions, RowChoice, read};
use diabolo::model::{FitOptions, HeldOut, Model};
use diabolo::optimizer::OptimizerChoice;
use diabolo::pca::Components;
use serde_json::json;

/// A model of version 0.1.0, which is written again with the bytes that it was read from.
fn old_model(name: &str) -> Model {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(name);
    let model = Model::load(&path).unwrap();
    let mut written = Vec::new();
    model.write(&mut written).unwrap();
    assert!(written == fs::read(&path).unwrap(), "{name} is written with other bytes");
    assert_eq!(model.provenance.version, "0.1.0");
    model
}

#[test]
fn an_auto_encoder_of_version_0_1_0_loads_with_its_settings() {
    let model = old_model("autoencoder-0.1.0.safetensors");
    let settings = &model.provenance.settings;
    let train = settings.train().unwrap();
    assert_eq!((train.epochs, train.rate.base, train.penalty.l1, train.seed), (2, 0.003, 1e-5, 1));
    assert_eq!(train.optimizer, OptimizerChoice::Sgd { momentum: 0.9, nesterov: true });
    assert_eq!(settings.corruption(), Some(Corruption::Hidden(Hiding::Mask(0.25))));
    assert_eq!(settings.data.validation, Some(HeldOut::Share(0.2)));
    assert_eq!(settings.data.only, Some(vec!["setosa".into(), "virginica".into()]));
    assert_eq!(settings.by_name()["learning-rate"], json!(0.003));

    let choice = RowChoice::Only(vec!["setosa".into(), "virginica".into()]);
    let iris = read("iris", &ReadOptions::default()).unwrap().choose(choice).unwrap();
    assert_eq!(model.encode(&iris).unwrap().columns(), 2);
}

#[test]
fn components_of_version_0_1_0_load_with_their_settings() {
    let model = old_model("pca-0.1.0.safetensors");
    let FitOptions::Pca { scaling, options } = &model.provenance.settings.options else { panic!("{model:?}") };
    assert_eq!((scaling.name(), options.components, options.seed), ("standard", Components::Count(2), 1));
    assert_eq!(model.provenance.settings.data.without, Some(vec!["setosa".into()]));
}
