"""Whether a text is FHIRPath at all: the library's parser goes on after a mistake, and so would find something else."""

from antlr4 import CommonTokenStream, InputStream, Token
from antlr4.error.Errors import LexerNoViableAltException
from fhirpathpy.parser.generated.FHIRPathLexer import FHIRPathLexer
from fhirpathpy.parser.generated.FHIRPathParser import FHIRPathParser


class _Lexer(FHIRPathLexer):
    def recover(self, error: Exception) -> None:
        raise error


def is_expression(text: str) -> bool:
    """Tells whether the whole of `text` is one FHIRPath expression: https://hl7.org/fhirpath/N1/grammar.html"""
    lexer = _Lexer(InputStream(text))
    lexer.removeErrorListeners()
    tokens = CommonTokenStream(lexer)
    parser = FHIRPathParser(tokens)
    parser.removeErrorListeners()
    try:
        parser.expression()
    except (LexerNoViableAltException, RecursionError):
        return False
    return bool(parser.getNumberOfSyntaxErrors() == 0 and tokens.LA(1) == Token.EOF)
