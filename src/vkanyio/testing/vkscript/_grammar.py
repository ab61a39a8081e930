"""The grammar of VKScript, for lark.

The language looks like JavaScript without functions, ``for`` and ``++``. The lexer is
contextual, so that NAME, FIELD and the keywords do not conflict. MINUS is a separate
token because it can be a SIGN or an OPERATOR: ``{} -1;`` is a block and a number, which
the parser can decide but the lexer cannot.
"""

from __future__ import annotations

from typing import Final

IDENTIFIER: Final = "[A-Za-z_][A-Za-z0-9_]*+"
DIGITS: Final = r"[0-9]++(?:\.[0-9]++)?"

# The quantifiers are possessive, so that matching takes linear time.
_DOUBLE_QUOTED: Final = r'"[^"\\\n\r]*+(?:\\[^\n\r][^"\\\n\r]*+)*+"'
_SINGLE_QUOTED: Final = r"'[^'\\\n\r]*+(?:\\[^\n\r][^'\\\n\r]*+)*+'"
TEXT: Final = f"(?:{_DOUBLE_QUOTED}|{_SINGLE_QUOTED})"
COMMENT: Final = r"(?://[^\n]*+|/\*[^*]*+\*++(?:[^/*][^*]*+\*++)*+/)"
_GAP: Final = rf"(?:\s++|{COMMENT})*+"
_KEYWORDS: Final = "var|if|else|while|return|delete|true|false|null"
_KEY: Final = f"(?:{IDENTIFIER}|{TEXT})"
_LITERAL: Final = rf"(?:{TEXT}|-?+{DIGITS}|(?:true|false|null)\b)"
_MEMBER: Final = rf"{_KEY}\s*+:\s*+{_LITERAL}\s*+"
_OPERATOR: Final = r"\|\||&&|[|&]|==|!=|<=|>=|<<|>>|[<>+*/%]"
_NAME: Final = rf"(?!(?:{_KEYWORDS})\b){IDENTIFIER}"
_API_METHOD: Final = rf"API{_GAP}(?:\.{_GAP}{IDENTIFIER}{_GAP}){{1,2}}(?=\()"
_PLAIN_OBJECT: Final = rf"\{{\s*+(?:{_MEMBER}(?:,\s*+|(?=\}})))++\}}"
_PLAIN_CALL: Final = rf"API(?:\.{IDENTIFIER}){{1,2}}\(\s*+{_PLAIN_OBJECT}\s*+\)"
_OBJECT: Final = rf"\{{(?={_GAP}{_KEY}{_GAP}:)"


def _terminal(pattern: str) -> str:
    return "/" + pattern.replace("/", r"\/") + "/"


# Precedence is resolved when operations are compiled: with a rule for each level, every
# operand would be reduced by every rule, which would take most of the time. PLAIN_CALL
# matches a call whose parameters are literals in one step: nearly all calls of a batch
# are like that, and a batch is new text each time.
GRAMMAR: Final = rf"""
program: statement*

?statement: expression ";"                                        -> discard
          | "var" _declarations ";"                               -> sequence
          | "if" "(" expression ")" statement                     -> choice
          | "if" "(" expression ")" statement "else" statement    -> choice
          | "while" "(" expression ")" statement                  -> loop
          | "return" expression ";"                               -> leave
          | DELETE expression ";"                                 -> deletion
          | block
          | ";"                                                   -> sequence

block.2: "{{" statement* "}}"

_declarations: declaration | _declarations "," declaration
declaration: NAME ["=" expression]

?expression: ternary
           | ternary ASSIGN expression                            -> assignment

?ternary: operation
        | operation "?" expression ":" expression                 -> conditional

?operation: unary
          | unary ((OPERATOR | MINUS) unary)+                     -> operations

?unary: postfix
      | (SIGN | MINUS) unary                                      -> signed

?postfix: primary
        | postfix "." FIELD                                       -> field
        | postfix "@." FIELD                                      -> projection
        | postfix "[" expression "]"                              -> element
        | postfix "." FIELD "(" [_list] ")"                       -> method_call
        | API_METHOD "(" [expression] ")"                         -> api_call
        | PLAIN_CALL                                              -> plain_call
        | PARSER "(" expression ")"                               -> parser_call

?primary: NAME                                                    -> variable
        | NUMBER                                                  -> number
        | STRING                                                  -> string
        | CONSTANT                                                -> constant
        | "(" expression ")"
        | "[" [_list [","]] "]"                                   -> array
        | OBJECT _members [","] "}}"                               -> object_
        | "{{" "}}"                                                 -> object_

_list: expression | _list "," expression
_members: member | _members "," member
member: (FIELD | STRING) ":" expression

DELETE: "delete"
ASSIGN: "="
SIGN: /[!~]/
MINUS: "-"
OPERATOR.1: {_terminal(_OPERATOR)}
CONSTANT: /(?:true|false|null)\b/
PARSER.1: /parse(?:Int|Double)\b/
FIELD: {_terminal(IDENTIFIER)}
NAME: {_terminal(_NAME)}
NUMBER: {_terminal(DIGITS)}
STRING: {_terminal(TEXT)}
API_METHOD.2: {_terminal(_API_METHOD)}
PLAIN_CALL.3: {_terminal(_PLAIN_CALL)}
OBJECT.2: {_terminal(_OBJECT)}
COMMENT.4: {_terminal(COMMENT)}
%ignore COMMENT
%ignore /[ \t\r\n\f]+/
"""
