//! A model file, whatever its bytes, is read or refused: no panic, no memory beyond a few times its size. What is read
//! writes back the same bytes.
//!
//! The checksum would keep all changes from the parser behind it, so each input is also read with one that fits.
#![no_main]

use diabolo::model::Model;
use flate2::Crc;
use libfuzzer_sys::fuzz_target;
use safetensors::SafeTensors;

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    if let Some(sealed) = seal(bytes) {
        read(&sealed);
    }
});

fn read(bytes: &[u8]) {
    if let Ok(model) = Model::from_bytes("input", bytes) {
        let written = model.to_bytes();
        let again = Model::from_bytes("written", &written).expect("what was written is read");
        assert_eq!(again.to_bytes(), written);
    }
}

/// The same file with the checksum that its contents ask for.
fn seal(bytes: &[u8]) -> Option<Vec<u8>> {
    let (_, header) = SafeTensors::read_metadata(bytes).ok()?;
    let mut tensors = SafeTensors::deserialize(bytes).ok()?.tensors();
    tensors.sort_by(|(first, _), (second, _)| first.cmp(second));
    let mut metadata = header.metadata().clone()?;
    let text = metadata.get_mut("diabolo")?;
    let rest = text.get(r#"{"checksum":"00000000""#.len()..)?;
    let mut crc = Crc::new();
    crc.update(rest.as_bytes());
    tensors.iter().for_each(|(_, tensor)| crc.update(tensor.data()));
    *text = format!(r#"{{"checksum":"{:08x}"{rest}"#, crc.sum());
    safetensors::serialize(tensors, Some(metadata)).ok()
}
