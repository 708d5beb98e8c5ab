use chrono::{DateTime, Utc};
use proptest::prelude::*;

use crate::generated::{DateError, date, rfc2822};
use crate::priority_mismatches::{self, ReportError};
use crate::reviews::{PageError, count};
use crate::summary::{self, Search, SummaryError};

mod dates;
mod reports;
mod reviews;
mod run;
