//! Evidence as a text, for a status that has neither floats nor room: one line, its version first.
//! What another version wrote is not read, and evidence begins anew.

use super::Evidence;

/// Raised with every change of what the text says.
const VERSION: &str = "1 ";

impl Evidence {
    /// It, to be read again by [`Evidence::from_text`]. Its length does not grow with the looks.
    #[must_use]
    pub fn to_text(&self) -> String {
        // Nothing in it can fail; an empty text would be read as no evidence.
        let json = serde_json::to_string(self).unwrap_or_default();
        format!("{VERSION}{json}")
    }

    /// What [`Evidence::to_text`] wrote; None for anything else.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let evidence: Self = serde_json::from_str(text.strip_prefix(VERSION)?).ok()?;
        evidence.is_sound().then_some(evidence)
    }
}
