//! The roofline against numbers worked out by hand, and its order properties.
