#pragma once

#include <string_view>

namespace lcm {

/// `--color`: colour where it fits, or as the user says.
enum class ColorChoice { automatic, always, never };

/// Takes the user's choice, for every later `use_color`.
void set_color(ColorChoice choice);

/// True when text on `fd` is to be coloured. By itself: not with a non-empty NO_COLOR; with a non-empty FORCE_COLOR; else on a
/// terminal that is not TERM=dumb. Each descriptor is judged for itself.
bool use_color(int fd);

/// True when `fd` is a terminal that moves its cursor (TERM is not "dumb").
bool can_animate(int fd);

/// Columns of the terminal behind `fd`, or 0 when that is not known.
int terminal_width(int fd) noexcept;

/// Goes to the start of the line and empties it.
inline constexpr std::string_view erase_line = "\r\x1b[K";

/// Writes `line` and a newline to `fd` in one write, so that the lines of several processes stay whole. On a terminal it first erases
/// the line, where another process may show a bar. Failures are ignored: nobody can be told.
void write_line(int fd, std::string_view line) noexcept;

/// Writes `text` to `fd`, all of it unless that fails, which is ignored. Async-signal-safe.
void write_raw(int fd, std::string_view text) noexcept;

}  // namespace lcm
