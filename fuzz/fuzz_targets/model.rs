//! A model file, whatever its bytes, is read or refused: no panic, no memory beyond a few times its size. What is read
//! writes back the same bytes.
//!
//! The checksum keeps random changes from reaching the parser, so each input is also read with a checksum that fits.
#![no_main]

use diabolo::model::Model;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    if let Some(sealed) = Model::reseal(bytes) {
        read(&sealed);
    }
});

fn read(bytes: &[u8]) {
    if let Ok(model) = Model::from_bytes(bytes) {
        let written = model.to_bytes();
        let again = Model::from_bytes(&written).expect("what was written is read");
        assert_eq!(again.to_bytes(), written);
    }
}
