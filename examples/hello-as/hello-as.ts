// The smallest app in AssemblyScript: a CGI program that says hello.
process.stdout.write("content-type: text/plain\n\nHello from AssemblyScript\n");
