//! What is said of a sink that has points, and that no settings name.

use tidemark_idic::SINK;

/// Who delivers to the sink of a file of gostats that no settings name, and how this command gets to know it.
pub(crate) const BY_COMMAND_LINE: &str = "`tidemark-onefs --idic FILE` delivers to it; with idic = \"FILE\" in \
                                          [collector.onefs], `tidemark status` and `tidemark outbox flush` know it too";

/// Whether a collector's own command line may deliver to the sink of that name though no settings name it: where they have
/// no sink, else nobody looks at the file's.
pub(crate) fn is_by_command_line(name: &str, has_default_sink: bool) -> bool {
    name == SINK && has_default_sink
}
