#include "lib/input/text/prompt_syntax.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "lib/base/error.h"
#include "lib/base/number.h"

namespace lcm {
namespace {

constexpr double round_step = 1.1, square_step = 1 / 1.1;

std::string_view trim(std::string_view text) {
    constexpr std::string_view space = " \t\r\n\f\v";
    const std::size_t first = text.find_first_not_of(space);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(space) - first + 1);
}

/// A weight as people write it: "1.2", "+1.2", ".5"; nothing for what is no number.
std::optional<double> parse_weight(std::string_view text) {
    text = trim(text);
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    std::string digits(text);
    if (digits.starts_with('.')) digits.insert(0, "0");
    if (digits.ends_with('.')) digits += "0";
    const auto number = parse_number(digits);
    if (!number || digits.find_first_not_of("0123456789.") != std::string::npos) return std::nullopt;
    return negative ? -*number : *number;
}

/// The grammar of A1111: brackets may cross, and what is left open counts to the end.
class A1111Parser {
public:
    explicit A1111Parser(std::string_view prompt) : rest_(prompt) {}

    std::vector<PromptPiece> parse() {
        while (!rest_.empty()) take_one();
        while (!round_.empty()) multiply(round_, round_step);
        while (!square_.empty()) multiply(square_, square_step);
        if (pieces_.empty()) pieces_.push_back({});
        return merged();
    }

private:
    using Open = std::vector<std::size_t>;

    void take_one() {
        constexpr std::string_view signs = "\\()[]:";
        const char sign = rest_.front();
        if (sign == '\\') return take_escape();
        if (sign == ':' && take_weight()) return;
        if (sign == ')' && !round_.empty()) return close(round_, round_step);
        if (sign == ']' && !square_.empty()) return close(square_, square_step);
        if (sign == '(') return open(round_);
        if (sign == '[') return open(square_);
        const std::size_t length = signs.find(sign) != signs.npos ? 1 : std::min(rest_.find_first_of(signs), rest_.size());
        add_text(rest_.substr(0, length));
        rest_.remove_prefix(length);
    }

    /// A sign that is meant as text; a lone backslash is dropped.
    void take_escape() {
        constexpr std::string_view escaped = "()[]\\";
        const bool pair = rest_.size() > 1 && escaped.find(rest_[1]) != escaped.npos;
        if (pair) pieces_.push_back({std::string(rest_.substr(1, 1))});
        rest_.remove_prefix(pair ? 2 : 1);
    }

    /// ":1.3)" behind an open bracket.
    bool take_weight() {
        const std::size_t end = rest_.find(')');
        if (end == rest_.npos || round_.empty()) return false;
        const auto weight = parse_weight(rest_.substr(1, end - 1));
        if (!weight) return false;
        rest_.remove_prefix(end + 1);
        multiply(round_, *weight);
        return true;
    }

    void open(Open& brackets) {
        brackets.push_back(pieces_.size());
        rest_.remove_prefix(1);
    }
    void close(Open& brackets, double factor) {
        multiply(brackets, factor);
        rest_.remove_prefix(1);
    }
    void multiply(Open& brackets, double factor) {
        for (std::size_t i = brackets.back(); i < pieces_.size(); ++i) pieces_[i].weight *= factor;
        brackets.pop_back();
    }

    /// Text, cut where BREAK stands as a word of its own.
    void add_text(std::string_view text) {
        bool new_chunk = false;
        while (true) {
            const std::size_t mark = find_break(text);
            const bool found = mark != text.npos;
            const std::string_view before = text.substr(0, mark);
            const std::string_view kept = found ? before.substr(0, before.find_last_not_of(" \t\r\n\f\v") + 1) : before;
            pieces_.push_back({std::string(kept), 1, new_chunk});
            if (!found) return;
            text.remove_prefix(mark + break_word.size());
            text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n\f\v"), text.size()));
            new_chunk = true;
        }
    }

    static std::size_t find_break(std::string_view text) {
        const auto in_word = [](char sign) { return std::isalnum(static_cast<unsigned char>(sign)) != 0 || sign == '_' || sign < 0; };
        for (std::size_t at = text.find(break_word); at != text.npos; at = text.find(break_word, at + 1)) {
            const std::size_t end = at + break_word.size();
            if ((at == 0 || !in_word(text[at - 1])) && (end == text.size() || !in_word(text[end]))) return at;
        }
        return text.npos;
    }

    /// Neighbours of one weight are one text, as words may run over an escaped sign.
    std::vector<PromptPiece> merged() const {
        std::vector<PromptPiece> result;
        for (const PromptPiece& piece : pieces_)
            if (!result.empty() && !piece.new_chunk && result.back().weight == piece.weight)
                result.back().text += piece.text;
            else
                result.push_back(piece);
        return result;
    }

    static constexpr std::string_view break_word = "BREAK";
    std::string_view rest_;
    std::vector<PromptPiece> pieces_;
    Open round_, square_;
};

// ComfyUI takes escaped brackets out of the way while it looks for others.
constexpr char hidden_open = '\x02', hidden_close = '\x01';

std::string hide_escaped(std::string_view prompt) {
    std::string text;
    for (std::size_t i = 0; i < prompt.size(); ++i) {
        const bool pair = prompt[i] == '\\' && i + 1 < prompt.size() && (prompt[i + 1] == '(' || prompt[i + 1] == ')');
        text += pair ? (prompt[++i] == '(' ? hidden_open : hidden_close) : prompt[i];
    }
    return text;
}

std::string show_escaped(std::string_view text) {
    std::string shown(text);
    std::ranges::replace(shown, hidden_open, '(');
    std::ranges::replace(shown, hidden_close, ')');
    return shown;
}

/// Top-level groups in brackets and what is between them.
std::vector<std::string_view> bracket_groups(std::string_view text) {
    std::vector<std::string_view> groups;
    std::size_t begin = 0;
    long depth = 0;
    const auto cut = [&](std::size_t end) {
        if (end > begin) groups.push_back(text.substr(begin, end - begin));
        begin = end;
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '(' && depth++ == 0) cut(i);
        if (text[i] == ')' && --depth == 0) cut(i + 1);
    }
    cut(text.size());
    return groups;
}

/// A group that is still to be read, with the weight around it.
struct Group {
    std::string_view text;
    double weight;
};

std::vector<PromptPiece> parse_comfy(std::string_view prompt) {
    const std::string hidden = hide_escaped(prompt);
    std::vector<PromptPiece> pieces;
    std::vector<Group> waiting{{hidden, 1}};  // the next one last
    while (!waiting.empty()) {
        const Group group = waiting.back();
        waiting.pop_back();
        std::vector<Group> inner;
        for (std::string_view part : bracket_groups(group.text)) {
            const bool bracketed = part.size() >= 2 && part.front() == '(' && part.back() == ')';
            if (!bracketed) {
                inner.push_back({part, group.weight});
                continue;
            }
            part = part.substr(1, part.size() - 2);
            double weight = group.weight * round_step;
            const std::size_t colon = part.rfind(':');
            const auto told = colon == part.npos || colon == 0 ? std::nullopt : parse_weight(part.substr(colon + 1));
            if (told) weight = *told;
            inner.push_back({told ? part.substr(0, colon) : part, weight});
        }
        const bool leaf = inner.size() == 1 && inner.front().text.size() == group.text.size();
        if (leaf)
            pieces.push_back({show_escaped(group.text), group.weight});
        else
            waiting.insert(waiting.end(), inner.rbegin(), inner.rend());
    }
    if (pieces.empty()) pieces.push_back({});
    return pieces;
}

}  // namespace

std::string_view name(PromptSyntax syntax) {
    switch (syntax) {
        case PromptSyntax::plain:
            return "none";
        case PromptSyntax::a1111:
            return "a1111";
        case PromptSyntax::comfy:
            return "comfy";
    }
    throw Error(ExitCode::software, "", "no such prompt syntax");
}

std::optional<PromptSyntax> syntax_named(std::string_view text) {
    for (const auto syntax : {PromptSyntax::plain, PromptSyntax::a1111, PromptSyntax::comfy})
        if (name(syntax) == text) return syntax;
    return std::nullopt;
}

std::vector<PromptPiece> parse_prompt(std::string_view prompt, PromptSyntax syntax) {
    if (syntax == PromptSyntax::a1111) return A1111Parser(prompt).parse();
    if (syntax == PromptSyntax::comfy) return parse_comfy(prompt);
    return {{std::string(prompt)}};
}

}  // namespace lcm
