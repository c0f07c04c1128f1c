using System;
using System.Text;

namespace Ubiquitous.Extism
{
    /// <summary>Text as the C API has it.</summary>
    internal static unsafe class Utf8
    {
        /// <summary>The bytes with a NUL behind them.</summary>
        /// <exception cref="ArgumentException">There is a NUL among them.</exception>
        internal static byte[] WithNul(string text, string parameter)
        {
            if (text is null)
                throw new ArgumentNullException(parameter);
            if (text.IndexOf('\0') >= 0)
                throw new ArgumentException("It has a NUL in it.", parameter);
            return Encoding.UTF8.GetBytes(text + '\0');
        }

        /// <summary>The text that ends with a NUL; null for NULL.</summary>
        internal static string? Read(byte* text)
        {
            if (text == null)
                return null;
            int length = 0;
            while (text[length] != 0)
                length++;
            return Encoding.UTF8.GetString(text, length);
        }
    }
}
